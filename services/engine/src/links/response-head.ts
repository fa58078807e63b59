/** The head of an answer over HTTP/1.1 with a body of a known length. */
export interface ResponseHead {
  readonly status: number;
  /** By name in lower case; of several lines of one name the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** Of the body, in bytes. */
  readonly length: number;
  /** Whether the connection stays open. */
  readonly keepAlive: boolean;
}

const STATUS_LINE = /^HTTP\/1\.(\d) (\d{3})(?: |$)/;
const LENGTH = /^\d{1,15}$/;

/** Reads a head without its empty line; undefined when it is none, or has no length. */
export function readHead(text: string): ResponseHead | undefined {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const match = STATUS_LINE.exec(statusLine);
  if (match === null) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const length = headers.get('content-length') ?? '';
  if (!LENGTH.test(length) || headers.has('transfer-encoding')) return undefined;
  const keepAlive = match[1] !== '0' && headers.get('connection')?.toLowerCase() !== 'close';
  return { status: Number(match[2]), headers, length: Number(length), keepAlive };
}
