import { LinkFailure } from './failure';
import type { Framing } from './response-head';

/** The longest line around a chunk, in bytes: its length in hexadecimal digits, and what may stand behind it (RFC 9112, 7.1). */
const MAX_LINE = 256;

/** So much of what is wrong is shown. */
const SHOWN = 80;

const NEWLINE = 10;
const SIZE_LINE = /^([0-9a-fA-F]{1,8})(?:[ \t]*;[^\r\n]*)?\r$/;

/** Is given bytes from `start` to before `end`: memory for what comes by the thousand is made once. */
export type Took = (bytes: Buffer, start: number, end: number) => void;

/** Takes the frame off the body of an answer, as its bytes come. */
export class FramedBody {
  /** How much is to come of the chunk; without chunks, of the whole. */
  private left: number;
  /** The beginning of a line around a chunk whose end has not come. */
  private line = '';
  private isBehindChunk = false;
  private isWhole: boolean;

  /** @param where it comes from, for errors. */
  constructor(
    private readonly framing: Framing,
    private readonly where: string,
  ) {
    this.left = typeof framing === 'number' ? framing : 0;
    this.isWhole = framing === 0;
  }

  /** Whether all has come. */
  get whole(): boolean {
    return this.isWhole;
  }

  /** Whether its end is that of the connection. */
  get endsWithConnection(): boolean {
    return this.framing === 'close';
  }

  /**
   * Gives `part` what of the first `length` bytes belongs to the body; what follows its end is left out.
   *
   * @throws LinkFailure `lying` for what is no chunk.
   */
  take(bytes: Buffer, length: number, part: Took): void {
    if (this.framing === 'close') {
      part(bytes, 0, length);
      return;
    }
    for (let at = 0; at < length && !this.isWhole;) {
      if (this.left === 0) {
        at = this.takeLine(bytes, at, length);
        continue;
      }
      const end = Math.min(length, at + this.left);
      this.left -= end - at;
      if (this.left === 0) {
        this.isBehindChunk = true;
        this.isWhole = this.framing !== 'chunked';
      }
      part(bytes, at, end);
      at = end;
    }
  }

  /** Takes what is there of a line around a chunk; returns where it ends. What follows the last chunk tells nothing. */
  private takeLine(bytes: Buffer, start: number, stop: number): number {
    const newline = bytes.indexOf(NEWLINE, start);
    const isThere = newline !== -1 && newline < stop;
    const end = isThere ? newline : stop;
    this.line += bytes.toString('latin1', start, Math.min(end, start + MAX_LINE + 1));
    if (this.line.length > MAX_LINE)
      throw this.lie(`what stands around a chunk is longer than ${MAX_LINE} bytes`, this.line);
    if (!isThere) return end;
    const { isBehindChunk, line } = this;
    this.line = '';
    this.isBehindChunk = false;
    if (isBehindChunk) {
      if (line !== '\r') throw this.lie('a chunk is longer than it says, behind it stands', line);
    } else {
      const [, size] = SIZE_LINE.exec(line) ?? [];
      if (size === undefined) throw this.lie('a chunk does not say how long it is', line);
      this.left = parseInt(size, 16);
      this.isWhole = this.left === 0;
    }
    return end + 1;
  }

  private lie(what: string, found: string): LinkFailure {
    return new LinkFailure('lying', `${this.where}: ${what}: ${JSON.stringify(found.slice(0, SHOWN))}`);
  }
}
