import fc from 'fast-check';
import {
  endToEndHeaders,
  headerLinesOf,
  headerValues,
  isHeaderLine,
  rawHeadersOf,
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
