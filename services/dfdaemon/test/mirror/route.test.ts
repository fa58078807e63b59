import fc from 'fast-check';
import { isName, route } from '../../src/mirror/route';

const HEX = 'ab'.repeat(32);
const BLOB = `/v2/library/busybox/blobs/sha256:${HEX}`;

describe('a request line', () => {
  test('that asks for a SHA-256 blob', () => {
    expect(route('GET', BLOB)).toEqual({
      kind: 'blob',
      method: 'GET',
      target: BLOB,
      ns: undefined,
      hostInPath: false,
      name: 'library/busybox',
      digest: `sha256:${HEX}`,
    });
  });

  test('of containerd: ns is read and taken off, the rest of the query stays as it is', () => {
    const asked = route('GET', `${BLOB}?a=%2f&ns=origin%3A5000&b`);
    expect(asked).toMatchObject({ kind: 'blob', ns: 'origin:5000', target: `${BLOB}?a=%2f&b` });
    expect(route('HEAD', '/v2/x/manifests/latest?ns=docker.io')).toMatchObject({
      kind: 'manifest',
      method: 'HEAD',
      ns: 'docker.io',
      target: '/v2/x/manifests/latest',
    });
  });

  test.each([
    ['/v2', 'ping'],
    ['/v2/', 'ping'],
    ['/v2/?ns=a', 'ping'],
    ['/v2/a/manifests/latest', 'manifest'],
    [`/v2/a/b/c/manifests/sha256:${HEX}`, 'manifest'],
    ['/v2/a/manifests/sha512:abc=', 'manifest'],
    ['/v2/a/tags/list?n=10', 'tags'],
    [`/v2/blobs/blobs/sha256:${HEX}`, 'blob'],
    [`/v2/a/blobs/sha256%3A${HEX}`, 'blob'],
    [`/v2/a/blobs/sha512:${HEX}${HEX}`, 'other'],
    [`/v2/a/blobs/sha256:${HEX}/`, 'other'],
    [`/v2/a/referrers/sha256:${HEX}?artifactType=x`, 'referrers'],
    ['/v2/a/tags/other', 'other'],
    ['/v2/a/blobs/uploads/', 'other'],
    ['/v2/_catalog', 'other'],
    ['/v1/search?q=a', 'other'],
    ['/token?service=x', 'other'],
    ['/', 'other'],
    ['/args', 'own'],
    ['/env', 'own'],
    ['/debug/version', 'own'],
    ['/debug/pprof/heap', 'own'],
    ['/args/more', 'other'],
  ])('%s is %s', (target, kind) => {
    expect(route('GET', target).kind).toBe(kind);
  });

  test.each([
    ['/v2/../secret', 'the path has a dot segment'],
    ['/v2/a/%2e%2e/b', 'the path has a dot segment'],
    ['/v2/a/./b', 'the path has a dot segment'],
    ['/v2/a%2fb/manifests/x', 'the path has an escaped slash'],
    ['/v2/a%5Cb', 'the path has an escaped slash'],
    ['/v2/a\\b', 'the path has characters that must be escaped'],
    ['/v2/a#b', 'the path has characters that must be escaped'],
    ['/v2/a%00', 'the path has an escaped control character'],
    ['/v2/a%zz', 'the path has a broken escape'],
    ['/v2/a%', 'the path has a broken escape'],
    ['/v2/a%ff', 'the path has a broken escape'],
    ['//evil.example/v2/', 'the path has an empty segment'],
    ['/v2//a', 'the path has an empty segment'],
    ['/v2/?a=%g0', 'the query has a broken escape'],
    ['/v2/?a=#b', 'the query has characters that must be escaped'],
    ['/v2/?ns=a&ns=b', 'ns is given twice'],
    ['/v2/?n%73=a&ns=b', 'ns is given twice'],
    ['/v2/?ns=%ff', 'ns is not the name of a registry'],
    ['/v2/?ns=a%0d%0ab', 'ns is not the name of a registry'],
    ['http://evil.example/v2/', 'this is a registry mirror, not a proxy: the request target must start with /'],
    ['*', 'this is a registry mirror, not a proxy: the request target must start with /'],
    ['', 'this is a registry mirror, not a proxy: the request target must start with /'],
    [`/${'a'.repeat(20_000)}`, 'the request target is longer than 16384 characters'],
  ])('%s is refused', (target, message) => {
    expect(route('GET', target)).toEqual({ kind: 'refused', status: 400, code: 'NAME_INVALID', message });
  });

  test.each([
    [`/v2/a/blobs/sha256:${HEX.toUpperCase()}`, 'DIGEST_INVALID', `"sha256:${HEX.toUpperCase()}" is not a digest`],
    [`/v2/a/blobs/sha256:${HEX}0`, 'DIGEST_INVALID', `"sha256:${HEX}0" is not a digest`],
    ['/v2/a/referrers/latest', 'DIGEST_INVALID', '"latest" is not a digest'],
    ['/v2/a/manifests/sha256:ab', 'MANIFEST_INVALID', '"sha256:ab" is neither a tag nor a digest'],
    ['/v2/a/manifests/-tag', 'MANIFEST_INVALID', '"-tag" is neither a tag nor a digest'],
    [`/v2/a/manifests/${'t'.repeat(129)}`, 'MANIFEST_INVALID', `"${'t'.repeat(129)}" is neither a tag nor a digest`],
    [`/v2/A/blobs/sha256:${HEX}`, 'NAME_INVALID', '"A" is not the name of a repository'],
    ['/v2/a//tags/list', 'NAME_INVALID', 'the path has an empty segment'],
    ['/v2/a_-b/tags/list', 'NAME_INVALID', '"a_-b" is not the name of a repository'],
    [`/v2/blobs/sha256:${HEX}`, 'NAME_INVALID', '"" is not the name of a repository'],
    [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID', `"${'a'.repeat(200)}…" is not the name of a repository`],
  ])('%s is outside the grammar', (target, code, message) => {
    expect(route('GET', target)).toEqual({ kind: 'refused', status: 400, code, message });
  });

  const known = (host: string): boolean => ['ghcr.io', 'harbor.test:5000'].includes(host);
  test.each([
    ['/v2/ghcr.io/a/b/manifests/latest?x=1', '/v2/a/b/manifests/latest?x=1', 'ghcr.io', true],
    ['/v2/GHCR.io/a/manifests/latest', '/v2/a/manifests/latest', 'ghcr.io', true],
    [`/v2/harbor.test:5000/a/blobs/sha256:${HEX}`, `/v2/a/blobs/sha256:${HEX}`, 'harbor.test:5000', true],
    [`/v2/harbor.test%3A5000/a/blobs/sha256%3A${HEX}`, `/v2/a/blobs/sha256%3A${HEX}`, 'harbor.test:5000', true],
    ['/v2/ghcr.io/a/manifests/latest?ns=ghcr.io', '/v2/a/manifests/latest', 'ghcr.io', true],
    ['/v2/ghcr.io/', '/v2/', 'ghcr.io', true],
    ['/v2/ghcr.io/manifests/latest', '/v2/ghcr.io/manifests/latest', undefined, false],
    ['/v2/quay.io/a/manifests/latest', '/v2/quay.io/a/manifests/latest', undefined, false],
    ['/v2/ghcr.io/a/manifests/latest?ns=quay.io', '/v2/ghcr.io/a/manifests/latest', 'quay.io', false],
  ])('%s with a registry in its path asks for %s of %s', (target, wanted, ns, hostInPath) => {
    expect(route('GET', target, known)).toMatchObject({ target: wanted, ns, hostInPath });
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', ''])('with method %p is refused', (method) => {
    expect(route(method, '/v2/a/blobs/uploads/')).toMatchObject({ kind: 'refused', status: 405, code: 'UNSUPPORTED' });
  });
});

describe('any request line', () => {
  const part = fc.constantFrom(
    ...['v2', 'a', 'blobs', 'manifests', 'tags', 'list', '..', '.', '', '%2e', '%2F', '%', '%41', '\\', '?', '#', '&'],
    ...['ns=', 'ns=x', '=', '@', ':', `sha256:${HEX}`, 'args', '\u00e9', '\0', ' '],
  );
  const lines = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(part, { maxLength: 12 }).map((parts) => `/${parts.join('/')}`),
    fc.array(part, { maxLength: 12 }).map((parts) => `/v2/${parts.join('')}`),
  );

  test('gets a route, and what goes on to a registry stays at that registry with the same path', () => {
    fc.assert(
      fc.property(lines, (target) => {
        const asked = route('GET', target);
        if (asked.kind === 'refused' || asked.kind === 'own') return;
        const url = new URL(asked.target, 'https://registry.example');
        expect(url.origin).toBe('https://registry.example');
        expect(url.pathname).toBe(asked.target.split('?')[0]);
        expect(decodeURIComponent(url.pathname).split('/')).not.toContain('..');
        expect(url.searchParams.has('ns')).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  const component = fc.stringMatching(/^[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
  test('with a name and a digest of the grammar is that blob', () => {
    fc.assert(
      fc.property(
        fc.array(component, { minLength: 1, maxLength: 5 }).map((components) => components.join('/')),
        fc.stringMatching(/^[0-9a-f]{64}$/),
        (name, hex) => {
          expect(isName(name)).toBe(true);
          expect(route('GET', `/v2/${name}/blobs/sha256:${hex}`)).toMatchObject({
            kind: 'blob',
            name,
            digest: `sha256:${hex}`,
          });
        },
      ),
    );
  });

  test('takes no longer for a hostile name', () => {
    expect(isName(`${'a-'.repeat(120)}_`)).toBe(false);
    expect(isName(`a${'-'.repeat(250)}`)).toBe(false);
  });
});
