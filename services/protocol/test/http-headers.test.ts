import fc from 'fast-check';
import {
  endToEndHeaders,
  headerLinesOf,
  headerValues,
  isHeaderLine,
  rawHeadersOf,
  redactHeaders,
  redactUrl,
  withoutHeaders,
} from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

describe('header lines', () => {
  const lines: HeaderLine[] = [
    ['Host', 'r'],
    ['Connection', 'close, X-Hop'],
    ['x-hop', '1'],
    ['Transfer-Encoding', 'chunked'],
    ['Accept', 'a'],
    ['ACCEPT', 'b'],
  ];

  it('are taken from and given to Node in order and case', () => {
    expect(headerLinesOf(rawHeadersOf(lines))).toEqual(lines);
    expect(headerLinesOf(['A', '1', 'B'])).toEqual([['A', '1']]);
  });

  it('are found and left out whatever their case', () => {
    expect(headerValues(lines, 'accept')).toEqual(['a', 'b']);
    expect(withoutHeaders(lines, ['Accept', 'HOST', 'connection'])).toEqual([
      ['x-hop', '1'],
      ['Transfer-Encoding', 'chunked'],
    ]);
  });

  it('about the connection stay with it', () => {
    expect(endToEndHeaders(lines)).toEqual([
      ['Host', 'r'],
      ['Accept', 'a'],
      ['ACCEPT', 'b'],
    ]);
  });

  it('that could become two are told', () => {
    expect(isHeaderLine(['X-A', 'b c\td\u00e9'])).toBe(true);
    for (const line of [
      ['', 'a'],
      ['X A', 'a'],
      ['X:', 'a'],
      ['X', 'a\r\nY: b'],
      ['X', '\0'],
      ['X', '€'],
    ] as const) {
      expect(isHeaderLine(line)).toBe(false);
    }
  });
});

describe('a log', () => {
  it('shows no credentials', () => {
    const lines: HeaderLine[] = [
      ['Authorization', 'Bearer s3cret'],
      ['proxy-authorization', 's3cret'],
      ['Cookie', 's3cret=1'],
      ['SET-COOKIE', 's3cret=1'],
      ['X-Auth-Token', 's3cret'],
      ['X-Amz-Security-Token', 's3cret'],
      ['X-Api-Key', 's3cret'],
      ['X-Registry-Auth', 's3cret'],
      ['Location', 'https://u:s3cret@storage/x?X-Amz-Signature=s3cret&se=s3cret#s3cret'],
      ['WWW-Authenticate', 'Bearer realm="https://auth/token"'],
      ['Accept', '*/*'],
    ];
    const logged = redactHeaders(lines);
    expect(JSON.stringify(logged)).not.toContain('s3cret');
    expect(logged.map(([name]) => name)).toEqual(lines.map(([name]) => name));
    expect(logged[0]).toEqual(['Authorization', 'Bearer <redacted>']);
    expect(logged[8]).toEqual(['Location', 'https://storage/x?X-Amz-Signature=<redacted>&se=<redacted>']);
    expect(logged.slice(9)).toEqual(lines.slice(9));
  });

  it.each([
    ['https://h/v2/a/blobs/sha256:ab', 'https://h/v2/a/blobs/sha256:ab'],
    ['//u:p@h/x', '//h/x'],
    ['/x?a=1&b&c=&=d', '/x?a=<redacted>&<redacted>&c=&=<redacted>'],
    ['https://u@p@h/x@y', 'https://h/x@y'],
    ['', ''],
  ])('shows the URL %j as %j', (url, logged) => {
    expect(redactUrl(url)).toBe(logged);
  });

  it('shows no value of a query', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.array(fc.string({ minLength: 1, unit: 'grapheme-ascii' })), (path, values) => {
        const query = values.map((value, index) => `k${index}=${encodeURIComponent(value)}`).join('&');
        const expected = values.map((_, index) => `k${index}=<redacted>`).join('&');
        expect(redactUrl(`https://user:pass@h${path}?${query}`)).toBe(`https://h${path}?${expected}`);
      }),
    );
  });
});
