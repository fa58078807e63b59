import { createHash } from 'node:crypto';
import { isPieceSize } from '../grid';
import { checkPieceSize, FRAME_OVERHEAD } from './piece-size';

/** Bytes of a frame before the content. */
export const FRAME_HEADER_LENGTH = 4;
/** The byte after the content of every piece. */
export const FRAME_TAIL = 0x7f;

const TAIL = Buffer.of(FRAME_TAIL);
const LENGTH_BITS = 24;

/**
 * The 4 bytes before a piece's content: its raw length and the piece size (Dragonfly 0.x protocol, 3.1).
 *
 * @throws RangeError when the piece size is none or the content does not fit into one piece
 */
export function frameHeader(rawLength: number, pieceSize: number): Buffer {
  checkPieceSize(pieceSize);
  if (!Number.isInteger(rawLength) || rawLength < 0 || rawLength > pieceSize - FRAME_OVERHEAD) {
    throw new RangeError(
      `A piece of ${rawLength} raw bytes does not fit: a piece size of ${pieceSize} holds 0 to ${pieceSize - FRAME_OVERHEAD}.`,
    );
  }
  const header = Buffer.alloc(FRAME_HEADER_LENGTH);
  header.writeUInt32BE(pieceSize * 16 + rawLength);
  return header;
}

/** The byte after a piece's content, for writing. A new buffer each time. */
export function frameTail(): Buffer {
  return Buffer.from(TAIL);
}

/** What a frame header says. */
export interface FrameHeader {
  /** Bytes of content in this piece. */
  readonly rawLength: number;
  /** The framed size of a full piece. */
  readonly pieceSize: number;
}

/** Reads the first 4 bytes of a framed piece; undefined when they are too few or no header. */
export function parseFrameHeader(bytes: Uint8Array): FrameHeader | undefined {
  if (bytes.length < FRAME_HEADER_LENGTH) return undefined;
  const word = Buffer.from(bytes.buffer, bytes.byteOffset, FRAME_HEADER_LENGTH).readUInt32BE();
  const pieceSize = (word >>> LENGTH_BITS) * 2 ** 20;
  const rawLength = word % 2 ** LENGTH_BITS;
  return isPieceSize(pieceSize) && rawLength <= pieceSize - FRAME_OVERHEAD ? { rawLength, pieceSize } : undefined;
}

/**
 * The `pieceMd5` of a piece, computed while its content passes: nothing is copied or kept (Dragonfly 0.x protocol, 3.2).
 * MD5 is what original clients check; it protects against damage, not against malice.
 */
export class PieceMd5 {
  private readonly hash = createHash('md5');
  private missing: number;

  /** @throws RangeError as {@link frameHeader} */
  constructor(
    private readonly rawLength: number,
    pieceSize: number,
  ) {
    this.hash.update(frameHeader(rawLength, pieceSize));
    this.missing = rawLength;
  }

  /**
   * Takes the next bytes of the content.
   *
   * @throws RangeError when the content becomes longer than announced
   */
  update(content: Uint8Array): this {
    if (content.length > this.missing) {
      throw new RangeError(
        `The piece was announced with ${this.rawLength} raw bytes and gets ${content.length - this.missing} more.`,
      );
    }
    this.hash.update(content);
    this.missing -= content.length;
    return this;
  }

  /**
   * `<32 lowercase hexadecimal digits>:<framed length>`. To be called once, after the whole content.
   *
   * @throws RangeError when content is missing
   */
  digest(): string {
    if (this.missing > 0) {
      throw new RangeError(`The piece was announced with ${this.rawLength} raw bytes; ${this.missing} are missing.`);
    }
    return `${this.hash.update(TAIL).digest('hex')}:${this.rawLength + FRAME_OVERHEAD}`;
  }
}

/**
 * The `pieceMd5` of the piece whose content is `chunks` in order.
 *
 * @throws RangeError as {@link frameHeader}
 */
export function pieceMd5Of(chunks: readonly Uint8Array[], pieceSize: number): string {
  const md5 = new PieceMd5(
    chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    pieceSize,
  );
  for (const chunk of chunks) md5.update(chunk);
  return md5.digest();
}

/** What a `pieceMd5` says. */
export interface ParsedPieceMd5 {
  readonly md5: string;
  /** The length of the framed piece in bytes; undefined when the text has none. */
  readonly framedLength: number | undefined;
}

/** Reads a `pieceMd5`. The empty text of original Go supernodes ("do not check") and anything malformed give undefined. */
export function parsePieceMd5(text: string): ParsedPieceMd5 | undefined {
  const match = /^([0-9a-f]{32})(?::(\d{1,9}))?$/i.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { md5: match[1].toLowerCase(), framedLength: match[2] === undefined ? undefined : Number(match[2]) };
}
