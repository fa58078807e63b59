import fc from 'fast-check';

import { absoluteTarget, connectTarget, originForm } from '../../src/proxy/destination';
import { Pattern, decide } from '../../src/proxy/rules';
import type { ProxyRule } from '../../src/proxy/rules';

const rule = (regx: string, fields: Partial<ProxyRule> = {}): ProxyRule => ({
  pattern: Pattern.read(regx, 'regx'),
  useHttps: false,
  direct: false,
  ...fields,
});

describe('the rules of the proxy', () => {
  const rules = [
    rule('internal', { direct: true }),
    rule('(?i)BLOBS/sha256.*'),
    rule('^http://up\\.example', { useHttps: true }),
  ];

  it.each([
    ['http://internal.example/v2/a/blobs/sha256:0', 'http://internal.example/v2/a/blobs/sha256:0', false],
    ['https://r.example/v2/a/blobs/sha256:0', 'https://r.example/v2/a/blobs/sha256:0', true],
    ['https://r.example/v2/a/manifests/1', 'https://r.example/v2/a/manifests/1', false],
    ['http://up.example:5000/v2/', 'https://up.example:5000/v2/', true],
    ['http://up.example/v2/', 'https://up.example/v2/', true],
  ])('ask for %s at %s', (asked, url, throughSwarm) => {
    const decision = decide(rules, new URL(asked));
    expect([decision.url.href, decision.throughSwarm]).toEqual([url, throughSwarm]);
  });

  it.each(['(', '(?=x)', '\\1', ''])('takes no %j', (source) => {
    expect(() => Pattern.read(source, 'the key regx of entry 1 of proxies')).toThrow(
      /^the key regx of entry 1 of proxies must be a regular expression/,
    );
  });

  it('reads any text as a pattern or refuses it in one sentence, and no text takes long', () => {
    fc.assert(
      fc.property(fc.string(), fc.webUrl(), (source, url) => {
        let outcome: string;
        try {
          outcome = typeof Pattern.read(source, 'regx').matches(url);
        } catch (error) {
          outcome = (error as Error).name;
        }
        expect(['boolean', 'UsageError']).toContain(outcome);
      }),
    );
    // Takes for ever where expressions are tried by going back.
    expect(Pattern.read('(a+)+$', 'regx').matches(`${'a'.repeat(5000)}b`)).toBe(false);
  });
});

describe('where a request is meant for', () => {
  it.each([
    ['registry.example:443', 'https://registry.example/'],
    ['registry.example:5000', 'https://registry.example:5000/'],
    ['[2001:db8::1]:443', 'https://[2001:db8::1]/'],
  ])('CONNECT %s', (target, url) => expect(connectTarget(target)?.href).toBe(url));

  it.each(['registry.example', '/v2/', 'http://x/', 'a b:1', 'x:0', 'x:99999', '@x:1', 'x:1/', ''])(
    'no CONNECT: %j',
    (target) => expect(connectTarget(target)).toBeUndefined(),
  );

  it.each([
    ['http://r.example/v2/?a=b', '/v2/?a=b'],
    ['http://r.example', '/'],
    ['http://r.example?x', '/?x'],
    ['HTTP://r.example/a%2Fb', '/a%2Fb'],
    ['/v2/', '/v2/'],
  ])('%s is asked for as %s', (target, path) => expect(originForm(target)).toBe(path));

  it.each([
    '/v2/',
    '*',
    'http://',
    'http://user@r.example/',
    'http:\\\\r.example/',
    'ftp://r.example/',
    'r.example:443',
  ])('no URL for a proxy: %j', (target) => expect(absoluteTarget(target)).toBeUndefined());

  it('never takes another host than the URL has', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const url = absoluteTarget(`http://r.example/${text}`);
        expect(url?.host ?? 'r.example').toBe('r.example');
        const target = connectTarget(text);
        expect(target === undefined || (target.pathname === '/' && target.username === '')).toBe(true);
      }),
    );
  });
});
