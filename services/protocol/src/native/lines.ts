/** The longest line a stream may have, in bytes: a block set of 1 TiB fits, and as many new blocks as one line may name. */
const MAX_LINE = 1024 * 1024;

const NEWLINE = 10;

/** A stream sent something that is not a line of the protocol. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/** What a line may be. */
export interface LineForm<T> {
  /** The document of a line that is plainly one; undefined: it may be one all the same. Default: no line is. */
  readonly plain?: (line: string) => T | undefined;
  /** Checks a document, as schemas of zod do. */
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

/** Cuts bytes, as they come, into JSON lines, and checks each. */
export class LineCutter<T> {
  /** The beginning of a line whose end has not come, and how long it is. */
  private begun = Buffer.alloc(0);
  private length = 0;

  /** @param heard is told each document. */
  constructor(
    private readonly form: LineForm<T>,
    private readonly heard: (document: T) => void,
  ) {}

  /**
   * Tells the documents whose last byte is in `chunk` from `start` to before `stop`. Keeps a copy of what follows them.
   *
   * @throws LineError for a line that is too long, no JSON, or of another form; what comes behind it is of no use then. What `heard` throws.
   */
  cut(chunk: Buffer, start = 0, stop = chunk.length): void {
    let from = start;
    while (from < stop) {
      const end = chunk.indexOf(NEWLINE, from);
      if (end === -1 || end >= stop) {
        this.keep(chunk, from, stop);
        return;
      }
      if (this.length + end - from > MAX_LINE) throw tooLong();
      const line = this.complete(chunk, from, end);
      from = end + 1;
      this.heard(this.form.plain?.(line) ?? parseLine(line, this.form));
    }
  }

  /** A copy: whoever gives the chunk may use its memory again. */
  private keep(chunk: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > MAX_LINE) throw tooLong();
    if (length > this.begun.length) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_LINE, Math.max(length, 2 * this.begun.length)));
      this.begun.copy(larger, 0, 0, this.length);
      this.begun = larger;
    }
    chunk.copy(this.begun, this.length, start, end);
    this.length = length;
  }

  /** The line that ends before `end`. */
  private complete(chunk: Buffer, start: number, end: number): string {
    if (this.length === 0) return chunk.toString('utf8', start, end);
    const line = Buffer.concat([this.begun.subarray(0, this.length), chunk.subarray(start, end)]).toString('utf8');
    this.begun = Buffer.alloc(0);
    this.length = 0;
    return line;
  }
}

/**
 * The documents of a stream of JSON lines.
 *
 * @throws LineError as {@link LineCutter.cut}.
 */
export async function* readLines<T>(bytes: AsyncIterable<Buffer>, form: LineForm<T>): AsyncGenerator<T> {
  const documents: T[] = [];
  const cutter = new LineCutter<T>(form, (document) => documents.push(document));
  for await (const chunk of bytes) {
    try {
      cutter.cut(chunk);
    } finally {
      yield* documents.splice(0);
    }
  }
}

/** One document as a line. */
export function lineOf(document: object): string {
  return `${JSON.stringify(document)}\n`;
}

function parseLine<T>(line: string, form: LineForm<T>): T {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch (error) {
    throw new LineError(`a line is not JSON: ${line.slice(0, 80)}`, { cause: error });
  }
  const result = form.safeParse(document);
  if (!result.success)
    throw new LineError(`a line is not of the protocol: ${line.slice(0, 80)} (${result.error.message})`);
  return result.data;
}

function tooLong(): LineError {
  return new LineError(`a line is longer than ${MAX_LINE} bytes`);
}
