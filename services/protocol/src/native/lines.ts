/** The longest line a stream may have, in bytes: a block set of 1 TiB fits, and as many new blocks as one line may name. */
const MAX_LINE = 1024 * 1024;

/** A stream sent something that is not a line of the protocol. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/**
 * Cuts a byte stream into JSON lines and checks each against `parse`.
 *
 * @throws LineError for a line that is too long, no JSON, or not of the schema; the stream is then unusable.
 */
export async function* readLines<T>(
  bytes: AsyncIterable<Buffer>,
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } } },
): AsyncGenerator<T> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end));
      yield parseLine(Buffer.concat(rest).toString('utf8'), schema);
      rest = [];
      length = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > MAX_LINE) throw new LineError(`a line is longer than ${MAX_LINE} bytes`);
  }
}

/** One document as a line. */
export function lineOf(document: object): string {
  return `${JSON.stringify(document)}\n`;
}

function parseLine<T>(
  line: string,
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } } },
): T {
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
