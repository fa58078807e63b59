import fc from 'fast-check';
import { endToEnd, publicUrl, valueOf, valuesOf } from '../src';
import { byteCount, parseSentRange, parseUnsatisfiedRange } from '../src/content-range';
import { retryAfterMs } from '../src/retry-after';

describe('Content-Range', () => {
  it.each([
    ['bytes 0-9/10', { from: 0, end: 10, size: 10 }],
    ['Bytes 5-5/*', { from: 5, end: 6, size: undefined }],
    ['bytes 0-9/5', undefined],
    ['bytes 9-0/10', undefined],
    ['bytes */10', undefined],
    ['items 0-9/10', undefined],
    ['bytes 0-9/99999999999999999999', undefined],
    ['bytes 0-99999999999999999999/*', undefined],
    ['bytes=0-9/10', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s', (text, expected) => {
    expect(parseSentRange(text)).toEqual(expected);
  });

  it('tells the size in a refusal', () => {
    expect(parseUnsatisfiedRange('bytes */1234')).toBe(1234);
    expect(parseUnsatisfiedRange('bytes */*')).toBeUndefined();
    expect(parseUnsatisfiedRange('bytes 0-1/2')).toBeUndefined();
    expect(parseUnsatisfiedRange(undefined)).toBeUndefined();
  });

  it('reads back what any server writes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (from, more, rest) => {
        const last = from + more;
        const size = last + 1 + rest;
        expect(parseSentRange(`bytes ${from}-${last}/${size}`)).toEqual({ from, end: last + 1, size });
        expect(parseSentRange(`bytes ${from}-${last}/${last}`)).toBeUndefined();
      }),
    );
  });
});

describe('a number of bytes', () => {
  it.each([
    ['0', 0],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['5, 5', undefined],
    ['0x10', undefined],
    ['', undefined],
  ])('%s is %s', (text, expected) => {
    expect(byteCount(text)).toBe(expected);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2024, 0, 1);

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Mon, 01 Jan 2024 00:00:30 GMT', 30_000],
    ['Sun, 31 Dec 2023 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    [undefined, undefined],
  ])('%s', (text, expected) => {
    expect(retryAfterMs(text, now)).toBe(expected);
  });
});

describe('header lines', () => {
  it('lose those of the connection, and those that it names', () => {
    const lines = [
      ['Connection', 'x-a,  X-B'],
      ['connection', 'x-c'],
      ['X-A', '1'],
      ['x-b', '2'],
      ['X-C', '3'],
      ['TE', 'trailers'],
      ['Upgrade', 'h2c'],
      ['Expect', '100-continue'],
      ['X-D', '4'],
    ] as const;
    expect(endToEnd(lines)).toEqual([['X-D', '4']]);
  });

  it('are found in any case; several lines are one value', () => {
    const lines = [
      ['A', '1'],
      ['B', ''],
      ['a', '2'],
    ] as const;
    expect(valuesOf(lines, 'A')).toEqual(['1', '2']);
    expect(valueOf(lines, 'a')).toBe('1, 2');
    expect(valueOf(lines, 'b')).toBeUndefined();
    expect(valueOf(lines, 'c')).toBeUndefined();
  });
});

describe('a URL in a log', () => {
  it('has no credentials, query or fragment', () => {
    expect(publicUrl(new URL('https://u:p@h.test:8443/a/b?sig=1#f'))).toBe('https://h.test:8443/a/b');
  });
});
