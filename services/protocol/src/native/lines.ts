/** The longest line a stream may have, in bytes: a block set of 1 TiB fits, and as many new blocks as one line may name. */
const MAX_LINE = 1024 * 1024;

const NEWLINE = 10;

/** A stream sent something that is not a line of the protocol. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/** What checks a document, as those of zod do. */
export interface LineSchema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

/** Cuts bytes, as they come, into JSON lines, and checks each. */
export class LineCutter<T> {
  /** The beginning of a line whose end has not come. */
  private begun: Buffer[] = [];
  private length = 0;

  constructor(private readonly schema: LineSchema<T>) {}

  /**
   * The documents whose last byte is in `chunk`. Keeps what follows them.
   *
   * @throws LineError for a line that is too long, no JSON, or not of the schema; what comes behind it is of no use then.
   */
  *cut(chunk: Buffer): Generator<T, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const last = chunk.subarray(start, end);
      const line = this.begun.length === 0 ? last : Buffer.concat([...this.begun, last]);
      this.begun = [];
      this.length = 0;
      start = end + 1;
      yield parseLine(line.toString('utf8'), this.schema);
    }
    if (start === chunk.length) return undefined;
    // A copy: whoever gives the chunk may use its memory again.
    this.begun.push(Buffer.from(chunk.subarray(start)));
    this.length += chunk.length - start;
    if (this.length > MAX_LINE) throw new LineError(`a line is longer than ${MAX_LINE} bytes`);
    return undefined;
  }
}

/**
 * The documents of a stream of JSON lines.
 *
 * @throws LineError as {@link LineCutter.cut}.
 */
export async function* readLines<T>(bytes: AsyncIterable<Buffer>, schema: LineSchema<T>): AsyncGenerator<T> {
  const cutter = new LineCutter(schema);
  for await (const chunk of bytes) yield* cutter.cut(chunk);
}

/** One document as a line. */
export function lineOf(document: object): string {
  return `${JSON.stringify(document)}\n`;
}

function parseLine<T>(line: string, schema: LineSchema<T>): T {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch (error) {
    throw new LineError(`a line is not JSON: ${line.slice(0, 80)}`, { cause: error });
  }
  const result = schema.safeParse(document);
  if (!result.success)
    throw new LineError(`a line is not of the protocol: ${line.slice(0, 80)} (${result.error.message})`);
  return result.data;
}
