import type { Specimen } from './specimen';

const CRI = '[plugins."io.containerd.grpc.v1.cri"';
const V3 = "[plugins.'io.containerd.cri.v1.images'";

/** config.toml files of containerd that lack `config_path`, or have one of which it uses no part. */
export const CONFIG_TOML: readonly Specimen[] = [
  { name: 'no file', content: undefined },
  { name: 'zero bytes', content: '' },
  { name: 'version alone', content: 'version = 2\n' },
  { name: 'version alone, no newline', content: 'version = 2' },
  { name: 'the table of registries', content: `version = 2\n${CRI}.registry]\n` },
  { name: 'the table without newline', content: `version = 2\n${CRI}.registry]` },
  {
    name: 'an empty config_path',
    content: `version = 2\n# why\n  ${CRI}.registry]\n    config_path = "" # none\n    [plugins."io.containerd.grpc.v1.cri".registry.headers]\n`,
  },
  {
    name: 'tables of the plugin',
    content: `version = 2\n${CRI}]\n  sandbox_image = "p:1" # keep\n  ${CRI}.containerd]\n    snapshotter = "native"\n`,
  },
  { name: 'auth beside', content: `version = 2\n${CRI}.registry.configs."a".auth]\n  username = "u"\n` },
  { name: 'Windows line ends', content: `version = 2\r\n${CRI}]\r\n` },
  { name: 'an empty list of plugins that are off', content: 'version = 2\ndisabled_plugins = []\n' },
  { name: 'another plugin off', content: 'version = 2\ndisabled_plugins = ["io.containerd.internal.v1.opt"]\n' },
  { name: 'version 3', content: `version = 3\n${V3}.registry]\n  config_path = ''\n`, version: '2.1.5' },
  { name: 'version 4', content: `version = 4\n${V3}.registry]\n  config_path = ''\n`, version: '2.3.0' },
  { name: 'version 2 under 2.1', content: `version = 2\n${CRI}]\n`, version: '2.1.5' },
  {
    name: 'tls beside, under 2.1',
    content: `version = 3\n${V3}.registry.configs."a".tls]\n  ca_file = "/a"\n`,
    version: '2.1.5',
  },
  { name: 'empty mirrors', content: `version = 2\n${CRI}.registry.mirrors]\n` },
  {
    name: 'imports of other things',
    content: 'version = 2\nimports = ["conf.d/*.toml"]\n',
    others: { '/etc/containerd/conf.d/a.toml': 'oom_score = 1\n' },
  },
  { name: 'a byte order mark', content: '\uFEFFversion = 2\n' },
  {
    name: 'remarks and blanks alone',
    content: '# version = 2\n\n',
    refused: /the form of this file is version 1, as it names none/,
  },
  {
    name: 'auth for a host beside, under 2.1',
    content: `version = 3\n${V3}.registry.configs."a".auth]\n  username = "u"\n`,
    version: '2.1.5',
  },
  {
    name: 'mirrors for all',
    content: `version = 2\n${CRI}.registry.mirrors."*"]\n  endpoint = ["https://a"]\n`,
    refused: /line 2, column 1: registry.mirrors, with which containerd does not load its CRI plugin/,
  },
  {
    name: 'mirrors, under 2.1',
    content: `version = 3\n${V3}.registry.mirrors."docker.io"]\n  endpoint = ["https://a"]\n`,
    version: '2.1.5',
    refused: /line 2, column 1: registry.mirrors, with which containerd does not load its CRI plugin/,
  },
  {
    name: 'version 5',
    content: 'version = 5\n',
    refused: /line 1, column 1: the form of this file is version 5/,
  },
  {
    name: 'no version',
    content: `${CRI}]\n`,
    refused:
      /config.toml, line 1, column 1: the form of this file is version 1, as it names none, and its CRI settings would be ignored/,
  },
  {
    name: 'version 1',
    content: '\nversion = 1\n',
    refused: /line 2, column 1: the form of this file is version 1 and its/,
  },
  {
    name: 'mirrors',
    content: `version = 2\n${CRI}.registry.mirrors."docker.io"]\n  endpoint = ["https://a"]\n`,
    refused: /line 2, column 1: registry.mirrors, with which containerd does not load its CRI plugin/,
  },
  {
    name: 'tls under 1.6',
    content: `version = 2\n${CRI}.registry.configs."a".tls]\n  ca_file = "/a"\n`,
    refused: /line 2, column 1: registry.configs."a".tls, with which/,
  },
  {
    name: 'an inline table',
    content: `version = 2\n${CRI}]\nregistry = {}\n`,
    refused: /is written inline|cannot be set with certainty/,
  },
  {
    name: 'CRI off',
    content: 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
    refused: /has its CRI plugin off/,
  },
  {
    name: 'CRI off, without version, as from docker',
    content: 'disabled_plugins = ["cri"]\n',
    refused: /has its CRI plugin off/,
  },
  {
    name: 'a syntax error',
    content: 'version = 2\n[plugins\n',
    refused: /config.toml, line 2, column \d+: not valid TOML/,
  },
  {
    name: 'CRI settings in a file that is imported',
    content: 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n',
    others: { '/etc/containerd/conf.d/a.toml': `version = 2\n${CRI}]\n` },
    refused: /conf.d\/a.toml, imported by \/etc\/containerd\/config.toml, has settings of the CRI plugin/,
  },
  {
    name: 'a list of folders in a file that 2.1 imports',
    content: 'version = 3\nimports = ["conf.d/*.toml"]\n',
    version: '2.1.5',
    others: { '/etc/containerd/conf.d/b.toml': `version = 3\n${V3}.registry]\nconfig_path = "/a:/b"\n` },
    refused:
      /^\/etc\/containerd\/conf.d\/b.toml has config_path = "\/a:\/b", a list, of which containerd 2.1.5 uses no part unless use_local_image_pull is true: name one folder there/,
  },
  {
    name: 'a list of folders under 2.1',
    content: `version = 3\n${V3}.registry]\n  config_path = "/etc/containerd/certs.d:/b"\n`,
    version: '2.1.5',
  },
  {
    name: 'the list of 2.2',
    content: `version = 3\n${V3}.registry]\n  config_path = '/etc/containerd/certs.d:/etc/docker/certs.d' # both\n`,
    version: '2.2.0',
  },
  {
    name: 'the list of 2.3, in version 4, with unpacked layers kept',
    content: `version = 4\n${V3}]\n  discard_unpacked_layers = false\n${V3}.registry]\n  config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n`,
    version: '2.3.1',
  },
  {
    name: 'no list by default, as 2.1 has none',
    content: `version = 3\n${V3}]\nuse_local_image_pull = true\n`,
    version: '2.1.5',
  },
  {
    name: 'no list by default, as 2.2 pulls by its transfer service',
    content: `version = 3\n${V3}]\nuse_local_image_pull = false\n`,
    version: '2.2.0',
  },
  {
    name: 'none by what the file says, under 2.2',
    content: `version = 3\n${V3}]\nuse_local_image_pull = true\n${V3}.registry]\nconfig_path = ""\n`,
    version: '2.2.0',
  },
  {
    name: 'mirrors that 2.2 takes instead of its default',
    content: `version = 3\n${V3}]\nuse_local_image_pull = true\n${V3}.registry.mirrors."docker.io"]\nendpoint = ["http://a"]\n`,
    version: '2.2.0',
    refused: /registry.mirrors, with which containerd does not load its CRI plugin once config_path is set/,
  },
  {
    name: 'a list that 2.1 would use, if an imported file did not have it pull by its transfer service',
    content: `version = 3\nimports = ["conf.d/*.toml"]\n${V3}]\nuse_local_image_pull = true\n${V3}.registry]\n  config_path = "/etc/containerd/certs.d:/b"\n`,
    version: '2.1.5',
    others: { '/etc/containerd/conf.d/b.toml': `version = 3\n${V3}]\nuse_local_image_pull = false\n` },
  },
];

/** config.toml files that set `config_path` already, so that only hosts.toml files are written, and where they go. */
export const CONFIG_PATHS: readonly (Specimen & { readonly hosts: string })[] = [
  { name: 'version 2', content: `version = 2\n${CRI}.registry]\nconfig_path = "/a"\n`, hosts: '/a' },
  { name: 'literal quotes', content: `version = 2\n${CRI}.registry]\nconfig_path = '/a b'\n`, hosts: '/a b' },
  { name: 'a dotted key', content: `version = 2\n${CRI}]\nregistry.config_path = "/a"\n`, hosts: '/a' },
  { name: 'an inline table', content: `version = 2\n${CRI}]\nregistry = { config_path = "/a" }\n`, hosts: '/a' },
  { name: 'version 3', content: `version = 3\n${V3}.registry]\nconfig_path = "/a"\n`, version: '2.1.5', hosts: '/a' },
  { name: 'version 4', content: `version = 4\n${V3}.registry]\nconfig_path = "/a"\n`, version: '2.3.0', hosts: '/a' },
  {
    name: 'version 2 under 2.1',
    content: `version = 2\n${CRI}.registry]\nconfig_path = "/a"\n`,
    version: '2.1.5',
    hosts: '/a',
  },
  {
    name: 'auth beside',
    content: `version = 2\n${CRI}.registry]\nconfig_path = "/a"\n${CRI}.registry.configs."a".auth]\nusername = "u"\n`,
    hosts: '/a',
  },
  {
    name: 'tls beside, under 2.1',
    content: `version = 3\n${V3}.registry]\nconfig_path = "/a"\n${V3}.registry.configs."a".tls]\nca_file = "/c"\n`,
    version: '2.1.5',
    hosts: '/a',
  },
  {
    name: 'a list under 1.7',
    content: `version = 2\n${CRI}.registry]\nconfig_path = "/a:/b"\n`,
    version: '1.7.24',
    hosts: '/a',
  },
  {
    name: 'a list under 1.7, the registry in the second',
    content: `version = 2\n${CRI}.registry]\nconfig_path = "/a:/b"\n`,
    version: '1.7.24',
    others: { '/b/docker.io/hosts.toml': '' },
    hosts: '/b',
  },
  {
    name: 'a list under 2.0, which has no transfer service for it',
    content: `version = 3\n${V3}.registry]\nconfig_path = "/a:/b"\n`,
    version: '2.0.5',
    hosts: '/a',
  },
  {
    name: 'a list that 2.2 uses, as it pulls by itself',
    content: `version = 3\n${V3}]\nuse_local_image_pull = true\n${V3}.registry]\nconfig_path = "/a:/b"\n`,
    version: '2.2.0',
    hosts: '/a',
  },
  {
    name: 'the list that 2.2 has by default, as it pulls by itself, the registry in the second',
    content: `version = 3\n${V3}]\nuse_local_image_pull = true\n`,
    version: '2.2.0',
    others: { '/etc/docker/certs.d/docker.io/hosts.toml': '' },
    hosts: '/etc/docker/certs.d',
  },
  {
    name: 'a list that 2.3 uses, as it keeps no unpacked layers',
    content: `version = 4\n${V3}]\ndiscard_unpacked_layers = true\n${V3}.registry]\nconfig_path = "/a:/b"\n`,
    version: '2.3.0',
    hosts: '/a',
  },
  {
    name: 'a list that 2.1 uses, by the form of version 2',
    content: `version = 2\n${CRI}.containerd]\ndiscard_unpacked_layers = true\n${CRI}.registry]\nconfig_path = "/a:/b"\n`,
    version: '2.1.5',
    hosts: '/a',
  },
  {
    name: 'a list that 2.1 uses, by an imported file',
    content: `version = 3\nimports = ["conf.d/*.toml"]\n${V3}.registry]\nconfig_path = "/a:/b"\n`,
    version: '2.1.5',
    others: { '/etc/containerd/conf.d/b.toml': `version = 3\n${V3}]\nuse_local_image_pull = true\n` },
    hosts: '/a',
  },
  {
    name: 'another one in a file that 2.1 imports',
    content: `version = 3\nimports = ["conf.d/*.toml"]\n${V3}.registry]\nconfig_path = "/a"\n`,
    version: '2.1.5',
    others: { '/etc/containerd/conf.d/b.toml': `version = 3\n${V3}.registry]\nconfig_path = "/b"\n` },
    hosts: '/b',
  },
  {
    name: 'another one in a file that an imported one imports',
    content: 'version = 3\nimports = ["/etc/one.toml"]\n',
    version: '2.1.5',
    others: {
      '/etc/one.toml': 'version = 3\nimports = ["/etc/two.toml", "/etc/one.toml"]\n',
      '/etc/two.toml': `version = 3\n${V3}.registry]\nconfig_path = "/b"\n`,
    },
    hosts: '/b',
  },
];
