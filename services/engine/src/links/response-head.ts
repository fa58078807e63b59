/** The head of an answer over HTTP/1.1. */
interface AnyHead {
  readonly status: number;
  /** By name in lower case; of several lines of one name the last. */
  readonly headers: ReadonlyMap<string, string>;
}

/** That of one with a body of a known length. */
export interface ResponseHead extends AnyHead {
  /** Of the body, in bytes. */
  readonly length: number;
  /** Whether the connection stays open. */
  readonly keepAlive: boolean;
}

/** That of one whose body comes bit by bit. */
export interface StreamHead extends AnyHead {
  readonly framing: Framing;
}

/** How the end of a body is known: after so many bytes, by its chunks, or with the connection. */
export type Framing = number | 'chunked' | 'close';

const STATUS_LINE = /^HTTP\/1\.(\d) (\d{3})(?: |$)/;
const LENGTH = /^\d{1,15}$/;

/** Reads a head without its empty line; undefined when it is none, or has no length. */
export function readHead(text: string): ResponseHead | undefined {
  const head = parse(text);
  const length = head?.headers.get('content-length') ?? '';
  if (head === undefined || !LENGTH.test(length) || head.headers.has('transfer-encoding')) return undefined;
  const { headers, minor, status } = head;
  const keepAlive = minor !== '0' && headers.get('connection')?.toLowerCase() !== 'close';
  return { status, headers, length: Number(length), keepAlive };
}

/** The same for an answer whose body may have any framing; undefined when it is no head, or does not say one thing of the framing. */
export function readStreamHead(text: string): StreamHead | undefined {
  const head = parse(text);
  if (head === undefined) return undefined;
  const { headers, status } = head;
  const length = headers.get('content-length');
  const coding = headers.get('transfer-encoding')?.toLowerCase();
  if (coding !== undefined)
    return coding === 'chunked' && length === undefined ? { status, headers, framing: coding } : undefined;
  if (length === undefined) return { status, headers, framing: 'close' };
  return LENGTH.test(length) ? { status, headers, framing: Number(length) } : undefined;
}

function parse(text: string): (AnyHead & { readonly minor: string }) | undefined {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const [, minor, status] = STATUS_LINE.exec(statusLine) ?? [];
  if (minor === undefined) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return undefined;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(status), headers, minor };
}
