import { TokenHosts } from '../src';

describe('the credentials of a registry', () => {
  const shown = (pair: string, realm: string, registry = 'https://ghcr.io'): boolean => {
    const url = new URL(registry);
    return new TokenHosts([pair]).mayBeShown(url, [url.host], new URL(realm));
  };

  it.each([
    ['ghcr.io=auth.test', 'https://auth.test/token', true],
    ['ghcr.io=auth.test', 'https://auth.test:8443/token', true],
    ['ghcr.io=auth.test:443', 'https://auth.test/token', true],
    ['ghcr.io=auth.test:443', 'https://auth.test:8443/token', false],
    ['ghcr.io=auth.test:8443', 'https://auth.test:8443/token', true],
    ['ghcr.io=auth.test:8443', 'https://auth.test/token', false],
    ['GHCR.io=Auth.Test.', 'https://auth.test/token', true],
    ['ghcr.io=[fd00::1]:443', 'https://[fd00::1]/token', true],
    ['ghcr.io=auth.test', 'https://xauth.test/token', false],
    ['ghcr.io=auth.test', 'http://auth.test/token', false],
    ['quay.io=auth.test', 'https://auth.test/token', false],
    ['ghcr.io:443=auth.test', 'https://auth.test/token', true],
    ['ghcr.io:5000=auth.test', 'https://auth.test/token', false],
  ])('with %s go to %s: %s', (pair, realm, expected) => {
    expect(shown(pair, realm)).toBe(expected);
  });

  it.each([
    ['r.test=auth.test', true],
    ['r.test:5000=auth.test', true],
    ['r.test:5001=auth.test', false],
  ])('of a registry at a port with %s: %s', (pair, expected) => {
    expect(shown(pair, 'https://auth.test/', 'https://r.test:5000')).toBe(expected);
  });

  it('go where they are known to belong, and to the host of the registry itself', () => {
    expect(shown('a=b', 'https://auth.docker.io/token', 'https://registry-1.docker.io')).toBe(true);
    expect(shown('a=b', 'https://auth.docker.io/token')).toBe(false);
    expect(shown('a=b', 'https://ghcr.io:8443/token')).toBe(true);
    expect(shown('a=b', 'http://r.test/token', 'http://r.test:5000')).toBe(true);
    expect(shown('a=b', 'http://ghcr.io/token')).toBe(false);
  });

  it('may go to a configured host that is inside, at the port of https unless another is named', () => {
    expect(new TokenHosts(['a=b.test', 'a=c.test:8443']).configured).toEqual([
      { host: 'b.test', port: 443 },
      { host: 'c.test', port: 8443 },
    ]);
  });

  it.each(['a', '=b', 'a=', 'a=b=c', 'a=b/c', 'https://a=b', 'a=u@b', 'a=b:0', 'a=b:99999', 'a=b:x', 'a b=c'])(
    'go nowhere for %j, which is refused',
    (text) => {
      expect(() => new TokenHosts([text])).toThrow(
        `--token-server must be REGISTRY=HOST[:PORT], such as ghcr.io=auth.example.com, not "${text}"`,
      );
    },
  );
});
