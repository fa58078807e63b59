import fc from 'fast-check';
import { parseRange } from '@cdk8s-dragonfly/protocol';

describe('a Range header', () => {
  it.each([
    ['bytes=0-499', 1000, 0, 500],
    ['bytes=500-', 1000, 500, 1000],
    ['bytes=-500', 1000, 500, 1000],
    ['bytes=-5000', 1000, 0, 1000],
    ['bytes=999-999', 1000, 999, 1000],
    ['bytes=0-99999999999999999999999', 1000, 0, 1000],
    ['BYTES=0-0', 1000, 0, 1],
    ['bytes= 0-0 ', 1000, 0, 1],
    ['bytes=,0-0,', 1000, 0, 1],
    ['bytes=4194304-8388607', 6_293_599, 4_194_304, 6_293_599],
  ])('%j of %d bytes is the part from %d to %d', (header, size, from, end) => {
    const contentRange = `bytes ${from}-${end - 1}/${size}`;
    expect(parseRange(header, size)).toEqual({ kind: 'part', from, end, contentRange });
  });

  it.each([
    ['bytes=1000-', 1000],
    ['bytes=1000-2000', 1000],
    ['bytes=-0', 1000],
    ['bytes=0-', 0],
    ['bytes=99999999999999999999999-', 1000],
  ])('%j of %d bytes cannot be satisfied', (header, size) => {
    expect(parseRange(header, size)).toEqual({ kind: 'unsatisfiable', contentRange: `bytes */${size}` });
  });

  it.each([
    [undefined, 1000],
    ['', 1000],
    ['bytes', 1000],
    ['bytes=', 1000],
    ['bytes=-', 1000],
    ['bytes=5-3', 1000],
    ['bytes=a-b', 1000],
    ['bytes=0x0-5', 1000],
    ['bytes=+1-5', 1000],
    ['bytes=0 - 5', 1000],
    ['bytes=0-1,5-6', 1000],
    ['lines=0-5', 1000],
    ['bytes=-5', 0],
    ['bytes=0-5', undefined],
  ])('%j of %s bytes is ignored', (header, size) => {
    expect(parseRange(header, size)).toEqual({ kind: 'whole' });
  });

  it('gives what a slice of the bytes would', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: 60 }), fc.nat({ max: 60 }), (bytes, a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const outcome = parseRange(`bytes=${first}-${last}`, bytes.length);
        const slice = bytes.slice(first, last + 1);
        expect(outcome.kind === 'part' ? bytes.slice(outcome.from, outcome.end) : new Uint8Array()).toEqual(slice);
        expect(outcome.kind).toBe(slice.length === 0 ? 'unsatisfiable' : 'part');
      }),
    );
  });

  it('gives the end of the bytes for a suffix', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 }), (bytes, length) => {
        const outcome = parseRange(`bytes=-${length}`, bytes.length);
        expect(outcome.kind === 'part' ? bytes.slice(outcome.from, outcome.end) : undefined).toEqual(
          bytes.slice(-length),
        );
      }),
    );
  });

  it('never throws and never leaves the representation', () => {
    const parts = fc.array(fc.constantFrom('bytes', '=', '-', ',', ' ', '0', '7', '99', '\t', 'é'), { maxLength: 12 });
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      parts.map((part) => part.join('')),
      parts.map((part) => `bytes=${part.join('')}`),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 100 }), (text, size) => {
        const outcome = parseRange(text, size);
        if (outcome.kind !== 'part') return;
        expect(0 <= outcome.from && outcome.from < outcome.end && outcome.end <= size).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
