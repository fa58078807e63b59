import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  PieceMd5,
  frameHeader,
  frameTail,
  parseFrameHeader,
  parsePieceMd5,
  pieceMd5Of,
} from '@cdk8s-dragonfly/protocol';

const MIB = 1024 * 1024;
const PIECE = 4 * MIB;

describe('the frame', () => {
  it.each([
    [4_194_299, 4, '043ffffb'],
    [1_048_606, 4, '0410001e'],
    [10_000, 4, '04002710'],
    [0, 4, '04000000'],
    [5_242_875, 5, '054ffffb'],
    [15_728_635, 15, '0feffffb'],
  ])('of %d bytes in pieces of %d MiB starts with %s', (rawLength, mib, hex) => {
    const header = frameHeader(rawLength, mib * MIB);
    expect(header.toString('hex')).toBe(hex);
    expect(parseFrameHeader(header)).toEqual({ rawLength, pieceSize: mib * MIB });
  });

  it('holds no more than a piece', () => {
    expect(() => frameHeader(PIECE - 4, PIECE)).toThrow(
      'A piece of 4194300 raw bytes does not fit: a piece size of 4194304 holds 0 to 4194299.',
    );
  });

  it.each([
    ['abc', '040000036162637f', '4ec2fdd18fdd19fd8c21560aa31ae81c:8'],
    ['', '040000007f', 'd6991051769098273e82477afd2bb93e:5'],
  ])('around %j and its MD5 are those of the original', (text, hex, md5) => {
    const content = Buffer.from(text);
    const frame = Buffer.concat([frameHeader(content.length, PIECE), content, frameTail()]);
    expect(frame.toString('hex')).toBe(hex);
    expect(pieceMd5Of([content], PIECE)).toBe(md5);
  });

  it('has the same MD5 however the content is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        const content = Buffer.concat(chunks);
        const frame = Buffer.concat([frameHeader(content.length, PIECE), content, frameTail()]);
        const md5 = createHash('md5').update(frame).digest('hex');
        expect(pieceMd5Of(chunks, PIECE)).toBe(`${md5}:${frame.length}`);
        expect(parsePieceMd5(`${md5}:${frame.length}`)).toEqual({ md5, framedLength: frame.length });
      }),
    );
  });

  it('tells content that is too long or too short', () => {
    expect(() => new PieceMd5(2, PIECE).update(Buffer.from('abc'))).toThrow(
      'announced with 2 raw bytes and gets 1 more',
    );
    expect(() => new PieceMd5(2, PIECE).update(Buffer.from('a')).digest()).toThrow(
      'announced with 2 raw bytes; 1 are missing',
    );
  });

  it.each(['ffc00005', '043ffffc', '0400'])('does not begin with %s', (hex) => {
    expect(parseFrameHeader(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('reads a pieceMd5 with and without length, and nothing else', () => {
    const md5 = 'a0dd208c862e2ff7b60efc8554535cab';
    expect(parsePieceMd5(`${md5}:4194304`)).toEqual({ md5, framedLength: 4_194_304 });
    expect(parsePieceMd5(md5.toUpperCase())).toEqual({ md5, framedLength: undefined });
    for (const text of ['', ':5', `${md5}:`, `${md5}:x`, md5.slice(1)]) expect(parsePieceMd5(text)).toBeUndefined();
  });
});
