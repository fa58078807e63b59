import type { Specimen } from './specimen';

const DIR = '/etc/containers/registries.conf.d';

/** registries.conf files, and drop-ins beside. */
export const REGISTRIES_CONF: readonly Specimen[] = [
  { name: 'no file', content: undefined },
  { name: 'zero bytes', content: '' },
  { name: 'search alone', content: 'unqualified-search-registries = ["docker.io"]\n' },
  {
    name: 'the old form',
    content: '[registries.search]\nregistries = ["docker.io"]\n[registries.insecure]\nregistries = ["docker.io"]\n',
  },
  {
    name: 'docker.io with a mirror',
    content:
      '[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m.example/hub"\ninsecure = true\n',
  },
  { name: 'docker.io by its location alone', content: '[[registry]]\nlocation = "docker.io"\ninsecure = true\n' },
  { name: 'another place for docker.io', content: '[[registry]]\nprefix = "docker.io"\nlocation = "r.example/hub"\n' },
  { name: 'blocked', content: '[[registry]]\nlocation = "docker.io"\nblocked = true\n' },
  {
    name: 'mirrors by digest only',
    content:
      '[[registry]]\nlocation = "docker.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"\n',
  },
  {
    name: 'a mirror for digests',
    content:
      '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "digest-only"\n',
  },
  { name: 'a wildcard', content: '[[registry]]\nprefix = "*.io"\n[[registry.mirror]]\nlocation = "m.example"\n' },
  {
    name: 'another registry',
    content: '[[registry]]\nlocation = "quay.io"\n[[registry.mirror]]\nlocation = "m.example"\n',
  },
  { name: 'a part of docker.io', content: '[[registry]]\nlocation = "docker.io/library"\n' },
  { name: 'unknown keys', content: 'odd = 1\n[[registry]]\nlocation = "docker.io"\nwhat = "ever"\n' },
  { name: 'a location with a path', content: '[[registry]]\nprefix = "docker.io"\nlocation = "r.example/a/b"\n' },
  {
    name: 'a port',
    content: '[[registry]]\nlocation = "r.example:5000"\n[[registry.mirror]]\nlocation = "m.example:443"\n',
  },
  { name: 'Windows line ends', content: '[[registry]]\r\nlocation = "docker.io"\r\ninsecure = true\r\n' },
  { name: 'short names', content: 'short-name-mode = "permissive"\n[aliases]\n"a" = "docker.io/library/a"\n' },
  {
    name: 'mirrors for tags',
    content:
      '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "tag-only"\n',
  },
  {
    name: 'two wildcards, of which the longer counts',
    content:
      '[[registry]]\nprefix = "*.io"\n[[registry.mirror]]\nlocation = "short.example"\n[[registry]]\nprefix = "*.docker.io"\n',
  },
  {
    name: 'a location with a scheme',
    content: 'unqualified-search-registries = []\n[[registry]]\nprefix = "quay.io"\n  location = "https://quay.io"\n',
    refused:
      /registries.conf, line 4, column 3: a location with a scheme, with which podman and CRI-O refuse every pull/,
  },
  {
    name: 'a mirror with a scheme in a drop-in',
    content: '',
    others: {
      [`${DIR}/50-a.conf`]: '[[registry]]\nlocation = "quay.io"\n[[registry.mirror]]\nlocation = "http://m"\n',
    },
    refused: /50-a.conf, line 4, column 1: a location with a scheme/,
  },
  {
    name: 'an entry without location',
    content: '[[registry]]\nprefix = "quay.io"\n',
    refused:
      /registries.conf, line 1, column 1: an entry without location, with which podman and CRI-O refuse every pull/,
  },
  {
    name: 'a drop-in before ours',
    content: '',
    others: {
      [`${DIR}/50-a.conf`]: '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "a.example"\n',
    },
  },
  {
    name: 'two drop-ins, of which the later counts',
    content: '',
    others: {
      [`${DIR}/50-a.conf`]: '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "a.example"\n',
      [`${DIR}/60-b.conf`]: '[[registry]]\nlocation = "docker.io"\n',
    },
  },
  { name: 'a file that is no drop-in', content: '', others: { [`${DIR}/zz.conf.bak`]: 'broken =\n' } },
  {
    name: 'a drop-in after ours',
    content: '',
    others: { [`${DIR}/zz.conf`]: '[[registry]]\nlocation = "docker.io"\n' },
    refused: /zz.conf is read after .*99-dragonfly-docker.io.conf and its entry for docker.io would replace ours/,
  },
  {
    name: 'a drop-in of our name by others',
    content: '',
    others: { [`${DIR}/99-dragonfly-docker.io.conf`]: '# mine\n' },
    refused: /99-dragonfly-docker.io.conf was not written by node-mirror/,
  },
  {
    name: 'a broken drop-in',
    content: '',
    others: { [`${DIR}/50-a.conf`]: '[[registry]\n' },
    refused: /50-a.conf, line 1, column \d+: not valid TOML/,
  },
  { name: 'a broken main file', content: 'x = \n', refused: /registries.conf, line 1, column \d+: not valid TOML/ },
  {
    name: 'a location with a port',
    content: '[[registry]]\nprefix = "docker.io"\nlocation = "r.example:5000/a/b"\n',
    refused: /r.example:5000\/a\/b, where .* has docker.io, cannot be in the path of a mirror/,
  },
];
