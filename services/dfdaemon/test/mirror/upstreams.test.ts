import { UsageError } from '@cdk8s-dragonfly/command';
import { parseUpstreams, pickUpstream } from '../../src/mirror/upstreams';

function pick(values: readonly string[], ns?: string): string | undefined {
  return pickUpstream(parseUpstreams(values), ns)?.origin;
}

describe('the registry of a request', () => {
  test('is the first one when the client names none', () => {
    expect(pick(['https://a.example', 'ghcr.io=https://ghcr.io'])).toBe('https://a.example');
    expect(pick(['ghcr.io=https://ghcr.io'])).toBe('https://ghcr.io');
    expect(pick(['https://a.example'], '')).toBe('https://a.example');
  });

  test('is the one that ns names, with the port written or not', () => {
    const values = ['https://a.example', 'ghcr.io=https://cache.example:8443', 'http://10.0.0.1:5000'];
    expect(pick(values, 'a.example')).toBe('https://a.example');
    expect(pick(values, 'A.Example:443')).toBe('https://a.example');
    expect(pick(values, 'ghcr.io')).toBe('https://cache.example:8443');
    expect(pick(values, '10.0.0.1:5000')).toBe('http://10.0.0.1:5000');
  });

  test.each(['b.example', 'a.example:80', 'a.example.evil', '10.0.0.1', 'cache.example:8443'])(
    'is unknown for ns=%s',
    (ns) => {
      const values = ['https://a.example', 'ghcr.io=https://cache.example:8443', 'http://10.0.0.1:5000'];
      expect(pick(values, ns)).toBeUndefined();
    },
  );

  test('is one for all names of Docker Hub', () => {
    for (const ns of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'docker.io:443']) {
      expect(pick(['https://index.docker.io'], ns)).toBe('https://index.docker.io');
      expect(pick(['https://a.example', 'docker.io=https://hub-cache.example'], ns)).toBe('https://hub-cache.example');
    }
  });

  test('of docker.io is asked where the images are, not at the web site', () => {
    expect(pick(['https://docker.io'])).toBe('https://registry-1.docker.io');
    expect(pick(['https://docker.io'], 'docker.io')).toBe('https://registry-1.docker.io');
  });

  test('of docker.io is the only one that is given, if it is a plain URL: the mirror of Docker Hub of Dragonfly 0.x', () => {
    for (const ns of ['docker.io', 'index.docker.io', 'registry-1.docker.io:443']) {
      expect(pick(['https://mirror.example'], ns)).toBe('https://mirror.example');
      expect(pick(['http://10.0.0.1:5000'], ns)).toBe('http://10.0.0.1:5000');
    }
    expect(pick(['https://mirror.example'], 'ghcr.io')).toBeUndefined();
  });

  test('of docker.io is unknown where the one that is given is another by name, or there are two', () => {
    expect(pick(['mirror.example=https://mirror.example'], 'docker.io')).toBeUndefined();
    expect(pick(['https://mirror.example', 'https://other.example'], 'docker.io')).toBeUndefined();
    expect(pick(['https://mirror.example', 'ghcr.io=https://ghcr.io'], 'docker.io')).toBeUndefined();
  });

  test('is the one of HOST=URL where a plain URL has the same host', () => {
    const values = ['https://registry-1.docker.io', 'docker.io=https://cache.example'];
    expect(pick(values)).toBe('https://registry-1.docker.io');
    expect(pick(values, 'docker.io')).toBe('https://cache.example');
  });

  test('may be an IPv6 literal', () => {
    expect(pick(['http://[::1]:5000'], '[::1]:5000')).toBe('http://[::1]:5000');
    expect(pick(['https://a.example', '[::1]=http://[::1]'], '[::1]:80')).toBe('http://[::1]');
  });
});

describe('a wrong --registry', () => {
  const shape =
    'a registry is given as URL or HOST=URL, such as https://registry.example.com or ghcr.io=https://ghcr.io';
  test.each([
    [[], `--registry is missing: ${shape}`],
    [[''], `--registry: "" is not an absolute URL: ${shape}`],
    [['registry.example'], `--registry: "registry.example" is not an absolute URL: ${shape}`],
    [['ghcr.io=ghcr.io'], `--registry: "ghcr.io" is not an absolute URL: ${shape}`],
    [['a b=https://x'], `--registry: "a b" is not a host name with an optional port: ${shape}`],
    [['=https://x'], `--registry: "" is not a host name with an optional port: ${shape}`],
    [['ftp://x.example'], '--registry: "ftp://x.example/" must begin with http:// or https://'],
    [
      ['https://x.example/v2/'],
      '--registry: "https://x.example/v2/" must have no path: runtimes ask for /v2/… at the root of a registry',
    ],
    [
      ['https://x.example/?a=b'],
      '--registry: "https://x.example/" must have neither query nor fragment: give scheme and host only',
    ],
    [
      ['https://me:hunter2@x.example'],
      '--registry: "https://x.example/" must not hold credentials: those of each pull are passed on',
    ],
    [
      ['a=https://x.example', 'a=https://y.example'],
      '--registry: a is given two registries, https://x.example and https://y.example: keep one',
    ],
  ])('%j is one clear sentence', (values, message) => {
    expect(() => parseUpstreams(values)).toThrow(new UsageError(message));
  });

  test.each(['https://me:hunter2@x.example:99999', '//me:hunter2@x', 'a=https://me:hunter2@'])(
    'never shows a password: %s',
    (value) => {
      expect(() => parseUpstreams([value])).toThrow(UsageError);
      expect(() => parseUpstreams([value])).not.toThrow(/hunter2/);
    },
  );
});
