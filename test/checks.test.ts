import { Placement } from '../src';
import { dfDaemonSpec } from '../src/spec/df-daemon';
import { dragonflySpec } from '../src/spec/dragonfly';
import { nodeMirrorSpec } from '../src/spec/node-mirror';
import { originsOf, parseRegistries, renderRegistries } from '../src/spec/registry';
import { supernodeSpec } from '../src/spec/supernode';

const IMAGES = { supernodeImage: 'example/supernode:1', daemonImage: 'example/dfdaemon:1' };

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : `no Error: ${String(error)}`;
  }
  return 'nothing was thrown';
}

describe('the registries', () => {
  it.each([
    [['https://registry-1.docker.io'], 'https://registry-1.docker.io', ['registry-1.docker.io:443']],
    [['https://docker.io/'], 'https://registry-1.docker.io', ['registry-1.docker.io:443']],
    [['http://127.0.0.1:5000'], 'http://127.0.0.1:5000', ['127.0.0.1:5000']],
    [['http://registry'], 'http://registry', ['registry:80']],
    [['https://[fd00::1]:5000'], 'https://[fd00::1]:5000', ['[fd00::1]:5000']],
    [['HTTPS://Registry.Example.Com:443'], 'https://registry.example.com', ['registry.example.com:443']],
    [['ghcr.io=https://m.example.com'], 'ghcr.io=https://m.example.com', ['m.example.com:443']],
    [
      ['https://a.example.com', 'https://index.docker.io', 'ghcr.io=https://a.example.com'],
      'https://a.example.com,docker.io=https://index.docker.io,ghcr.io=https://a.example.com',
      ['a.example.com:443', 'index.docker.io:443'],
    ],
  ])('%j become %s and the origins %j', (values, rendered, origins) => {
    const registries = parseRegistries('registries', values);
    expect(renderRegistries(registries)).toBe(rendered);
    expect(originsOf(registries)).toEqual(origins);
  });

  it.each([
    [
      'docker.io',
      'registries[0] "docker.io" is no http or https URL: write the registry as [HOST=]URL, such as https://registry.example.com:5000.',
    ],
    [
      'ftp://registry.example.com',
      'registries[0] "ftp://registry.example.com" is no http or https URL: write the registry as [HOST=]URL, such as https://registry.example.com:5000.',
    ],
    [
      'https://a b',
      'registries[0] "https://a b" is no URL: write the registry as [HOST=]URL, such as https://registry.example.com:5000.',
    ],
    [
      'https://me:secret@registry.example.com',
      'registries[0] "https://***@registry.example.com" has credentials: leave them out; container runtimes send their own.',
    ],
    [
      'https://registry.example.com/v2/',
      'registries[0] "https://registry.example.com/v2/" has more than scheme, host and port: leave the rest out, such as https://registry.example.com.',
    ],
    [
      'https://registry.example.com?a=b',
      'registries[0] "https://registry.example.com?a=b" has more than scheme, host and port: leave the rest out, such as https://registry.example.com.',
    ],
    ['http://h:65536', 'registries[0] "http://h:65536" has the port 65536: use 1 to 65535.'],
    ['http://h:0/', 'registries[0] "http://h:0/" has the port 0: use 1 to 65535.'],
    [
      'https://-a.example.com',
      'registries[0] "https://-a.example.com" has the host "-a.example.com": use a DNS name, an IPv4 address or [IPv6].',
    ],
    [
      'a_b=https://registry.example.com',
      'registries[0] "a_b=https://registry.example.com" has the registry name "a_b": use HOST[:PORT] as it stands in image names.',
    ],
  ])('%s is refused', (value, message) => {
    expect(messageOf(() => parseRegistries('registries', [value]))).toBe(message);
  });

  it('must be at least one, and one a host', () => {
    expect(messageOf(() => parseRegistries('registries', []))).toBe(
      'registries is empty: name at least one registry by its URL, such as https://registry.example.com:5000.',
    );
    expect(messageOf(() => parseRegistries('registries', ['https://docker.io', 'docker.io=https://b']))).toBe(
      'registries has two registries for "docker.io", at 0 and 1: remove one.',
    );
  });
});

describe('the props of an installation', () => {
  it.each([
    [
      { supernodeImage: '' },
      'supernodeImage is missing: no image is published yet, so name the one that you built, such as registry.example.com/dragonfly/supernode:0.1.0.',
    ],
    [
      { daemonImage: 'https://example.com/dfdaemon' },
      'daemonImage "https://example.com/dfdaemon" is no image name: write [HOST[:PORT]/]NAME[:TAG][@DIGEST] without scheme and blanks, such as registry.example.com/dragonfly/supernode:0.1.0.',
    ],
    [
      { supernodeName: '1st' },
      'supernodeName "1st" is no name for an object: use 1 to 63 lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit.',
    ],
    [
      { daemonName: 'a'.repeat(64) },
      `daemonName "${'a'.repeat(64)}" is no name for an object: use 1 to 63 lower-case letters, digits and dashes, starting with a letter and ending with a letter or digit.`,
    ],
    [
      { namespace: 'Kube' },
      'namespace "Kube" is no namespace: use 1 to 63 lower-case letters, digits and dashes, starting and ending with a letter or digit.',
    ],
    [
      { supernodeDataPath: 'data' },
      'supernodeDataPath "data" is no folder for data on a node: use an absolute path below / without "..".',
    ],
    [
      { daemonDataPath: '/data/../etc' },
      'daemonDataPath "/data/../etc" is no folder for data on a node: use an absolute path below / without "..".',
    ],
    [
      { daemonDataPath: '//' },
      'daemonDataPath "//" is no folder for data on a node: use an absolute path below / without "..".',
    ],
    [
      { daemonTolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] },
      'daemonTolerations[0] has operator Exists and the value "b": leave out the value, or use Equal.',
    ],
    [
      { daemonTolerations: [{ operator: 'Exists' }, { value: 'b' }] },
      "daemonTolerations[1] has no key: name the taint's key, or use operator Exists to tolerate every taint.",
    ],
    [{ mirrorNodes: [] }, 'mirrorNodes is empty: name at least one node, as "kubectl get nodes" shows them.'],
    [{ mirrorNodes: ['w1', 'w 2'] }, 'mirrorNodes[1] "w 2" is no node name: write it as "kubectl get nodes" shows it.'],
    [{ mirrorNodes: ['w1', 'w2', 'w1'] }, 'mirrorNodes names "w1" twice, at 0 and 2: name it once.'],
  ])('%j are refused', (props, message) => {
    const nodeMirrorImage = 'mirrorNodes' in props ? { nodeMirrorImage: 'example/node-mirror:1' } : {};
    expect(messageOf(() => dragonflySpec({ ...IMAGES, ...nodeMirrorImage, ...props }, 'default'))).toBe(message);
  });

  it('need the image of the node-mirror with nodes, and nodes with the image', () => {
    expect(messageOf(() => dragonflySpec({ ...IMAGES, mirrorNodes: ['w1'] }, 'default'))).toBe(
      'nodeMirrorImage is missing: no image is published yet, so name the one that you built, such as registry.example.com/dragonfly/supernode:0.1.0.',
    );
    expect(messageOf(() => dragonflySpec({ ...IMAGES, nodeMirrorImage: 'a' }, 'default'))).toBe(
      'nodeMirrorImage "a" has nothing to do: name the nodes in mirrorNodes.',
    );
  });
});

describe('the props of the parts', () => {
  const daemon = { image: 'example/dfdaemon:1', supernodes: ['supernode'] };

  it.each([
    [[], 'supernodes is empty: name at least one supernode as HOST[:PORT], such as "supernode".'],
    [
      ['http://supernode'],
      'supernodes[0] "http://supernode" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].',
    ],
    [['a b'], 'supernodes[0] "a b" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].'],
    [['10.0.0.256'], 'supernodes[0] "10.0.0.256" is no HOST[:PORT]: use a DNS name, an IPv4 address or [IPv6].'],
    [['a:70000'], 'supernodes[0] "a:70000" has the port "70000": use 1 to 65535, or leave it out for 8002.'],
    [['a', 'a'], 'supernodes names "a" twice, at 0 and 1: name it once.'],
  ])('supernodes %j are refused', (supernodes, message) => {
    expect(messageOf(() => dfDaemonSpec({ ...daemon, supernodes }, 'default'))).toBe(message);
  });

  it('supernodes may be names, addresses and brackets, with a port or not', () => {
    const supernodes = ['supernode.p2p', '10.0.0.1:8002', '[fd00::1]', '[fd00::2]:9000'];
    expect(dfDaemonSpec({ ...daemon, supernodes }, 'default').supernodes).toEqual(supernodes);
  });

  it('the classic installation has one registry and one placement', () => {
    expect(
      messageOf(() => dfDaemonSpec({ ...daemon, classic: true, registries: ['https://a', 'https://b'] }, 'default')),
    ).toBe('registries has 2 entries, and the classic installation mirrors one: leave out the others, or classic.');
    expect(messageOf(() => supernodeSpec({ image: 'a', classic: true, placement: Placement.ANY }, 'default'))).toBe(
      'placement "any" has no place in the classic installation: leave out one of the two.',
    );
  });

  it('the mirror of a node is a URL of scheme, host and port', () => {
    const job = { image: 'example/node-mirror:1', nodes: ['w1'] };
    expect(nodeMirrorSpec({ ...job, mirror: 'http://127.0.0.1:1234/' }, 'default').mirror).toBe(
      'http://127.0.0.1:1234',
    );
    expect(messageOf(() => nodeMirrorSpec({ ...job, mirror: '127.0.0.1:65001' }, 'default'))).toBe(
      'mirror "127.0.0.1:65001" is no http or https URL: write it such as http://127.0.0.1:65001.',
    );
  });

  it("a Job's name leaves room for its hash", () => {
    const job = { image: 'example/node-mirror:1', nodes: ['w1'] };
    expect(nodeMirrorSpec({ ...job, name: 'a'.repeat(52) }, 'default').name).toHaveLength(52);
    expect(messageOf(() => nodeMirrorSpec({ ...job, name: 'a'.repeat(53) }, 'default'))).toContain('use 1 to 52');
  });

  it('have the documented defaults', () => {
    expect(supernodeSpec({ image: 'a' }, 'ns')).toEqual({
      name: 'supernode',
      namespace: 'ns',
      image: 'a',
      origins: ['registry-1.docker.io:443'],
      placement: Placement.CONTROL_PLANE,
      dataPath: '/data/dragonfly',
      classic: false,
    });
    expect(dfDaemonSpec(daemon, 'ns')).toEqual({
      name: 'df-daemon',
      namespace: 'ns',
      image: 'example/dfdaemon:1',
      supernodes: ['supernode'],
      registry: 'https://registry-1.docker.io',
      dataPath: '/data/dfdaemon',
      tolerations: [],
      classic: false,
    });
  });
});
