import fc from 'fast-check';
import {
  formatPieceRange,
  frameHeader,
  frameTail,
  framedLength,
  framedParts,
  parsePieceRange,
  pieceCount,
  pieceSizeOf,
  rawLengthOf,
} from '@cdk8s-dragonfly/protocol';

const MIB = 1024 * 1024;
const PIECE = 4 * MIB;

describe('the piece size', () => {
  it.each([
    [undefined, 4],
    [0, 4],
    [209_715_200, 4],
    [209_715_201, 4],
    [314_572_799, 4],
    [314_572_800, 5],
    [419_430_400, 6],
    [1_363_148_799, 14],
    [1_363_148_800, 15],
    [9_000_000_000, 15],
  ])('for %s bytes is %d MiB', (length, mib) => {
    expect(pieceSizeOf(length)).toBe(mib * MIB);
  });

  it.each([-1, 0.5, Number.NaN, Infinity])('refuses the length %s', (length) => {
    expect(() => pieceSizeOf(length)).toThrow('is not a whole number of bytes: give 0 or more.');
  });
});

describe('lengths', () => {
  it.each([
    [0, 1, 5],
    [1, 1, 6],
    [PIECE - 5, 1, PIECE],
    [PIECE - 4, 2, PIECE + 6],
    [8_388_598, 2, 2 * PIECE],
    [26_214_400, 7, 26_214_435],
  ])('a file of %d bytes has %d pieces and is %d bytes framed', (length, count, framed) => {
    expect(pieceCount(length, PIECE)).toBe(count);
    expect(framedLength(length, PIECE)).toBe(framed);
    expect(rawLengthOf(framed, PIECE)).toBe(length);
  });

  it('knows framed lengths that no file has', () => {
    for (const framed of [0, 4, PIECE + 1, PIECE + 5]) expect(rawLengthOf(framed, PIECE)).toBeUndefined();
  });

  it('finds the raw length of every file again', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 40 }), fc.integer({ min: 1, max: 15 }), (length, mib) => {
        expect(rawLengthOf(framedLength(length, mib * MIB), mib * MIB)).toBe(length);
      }),
    );
  });

  it('refuses a piece size that the header cannot carry', () => {
    expect(() => pieceCount(1, 16 * MIB)).toThrow(
      'The piece size 16777216 does not fit the frame header: give a whole number of MiB from 1 to 15, in bytes.',
    );
  });
});

describe('the range of a piece', () => {
  it('names the piece', () => {
    expect(parsePieceRange('0-4194303')).toEqual({ pieceNum: 0, pieceSize: PIECE });
    expect(parsePieceRange('25165824-29360127')).toEqual({ pieceNum: 6, pieceSize: PIECE });
    expect(formatPieceRange({ pieceNum: 6, pieceSize: PIECE })).toBe('25165824-29360127');
  });

  it.each(['', '-', '0-', '4194303-0', '1-4194304', '0-4194302', '-5-3', '0-4194303x', ' 0-4194303'])(
    'is not %j',
    (text) => {
      expect(parsePieceRange(text)).toBeUndefined();
    },
  );
});

describe('a framed range', () => {
  const contentOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 7) % 251));

  function framedFile(content: Buffer, pieceSize: number): Buffer {
    const pieces: Buffer[] = [];
    for (let n = 0; n < pieceCount(content.length, pieceSize); n++) {
      const raw = content.subarray(n * (pieceSize - 5), (n + 1) * (pieceSize - 5));
      pieces.push(frameHeader(raw.length, pieceSize), raw, frameTail());
    }
    return Buffer.concat(pieces);
  }

  const whole = contentOf(2 * MIB + 17);
  const framed = framedFile(whole, MIB);

  function served(from: number, end: number, length: number | undefined = whole.length): Buffer {
    const parts = framedParts({ pieceSize: MIB, length }, from, end);
    return Buffer.concat(
      parts.map((part) => (part.kind === 'framing' ? part.bytes : whole.subarray(part.from, part.end))),
    );
  }

  it('gives what a file of framed pieces would, for any range', () => {
    const near = fc
      .tuple(fc.constantFrom(0, MIB, 2 * MIB, framed.length), fc.integer({ min: -9, max: 9 }))
      .map(([base, offset]) => Math.max(0, base + offset));
    const offset = fc.oneof(near, fc.nat({ max: framed.length + 10 }));
    fc.assert(
      fc.property(offset, offset, (a, b) => {
        const [from, end] = [Math.min(a, b), Math.max(a, b)];
        expect(served(from, end).equals(framed.subarray(from, end))).toBe(true);
      }),
    );
  });

  it('of a full piece is header, content and tail', () => {
    expect(framedParts({ pieceSize: PIECE, length: 26_214_400 }, 25_165_824, 29_360_128)).toEqual([
      { kind: 'framing', bytes: Buffer.from('0410001e', 'hex') },
      { kind: 'content', from: 25_165_794, end: 26_214_400 },
      { kind: 'framing', bytes: Buffer.from('7f', 'hex') },
    ]);
  });

  it('of an empty file is one frame, behind the end nothing', () => {
    const empty = framedParts({ pieceSize: PIECE, length: 0 }, 0, PIECE);
    expect(empty.map((part) => (part.kind === 'framing' ? part.bytes.toString('hex') : ''))).toEqual([
      '04000000',
      '7f',
    ]);
    expect(framedParts({ pieceSize: PIECE, length: 0 }, 5, PIECE)).toEqual([]);
  });

  it('of a file of unknown length is served for full pieces', () => {
    expect(served(MIB, 2 * MIB, undefined).equals(framed.subarray(MIB, 2 * MIB))).toBe(true);
  });

  it('refuses what is no range', () => {
    expect(() => framedParts({ pieceSize: MIB, length: 1 }, 2, 1)).toThrow('give whole numbers with 0 <= from <= end.');
  });
});
