/** One line of a message's head, in the sender's own spelling. */
export type HeaderLine = readonly [name: string, value: string];

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Visible characters, spaces, tabs and obs-text; no CR, LF or NUL, with which one line would become two.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether this may be sent as a header line: a token as name, no control characters in the value (RFC 9110, 5.1 and 5.5). */
export function isHeaderLine([name, value]: HeaderLine): boolean {
  return TOKEN.test(name) && VALUE.test(value);
}

/** The lines of `rawHeaders` of a Node message, where names and values take turns. A last name without a value is left out. */
export function headerLinesOf(rawHeaders: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return lines;
}

/** The reverse of {@link headerLinesOf}: names and values take turns, as `writeHead` and `request` of Node take them. */
export function rawHeadersOf(lines: readonly HeaderLine[]): string[] {
  return lines.flat();
}

/** All values of the header `name`, in order. Names are the same whatever their case. */
export function headerValues(lines: readonly HeaderLine[], name: string): string[] {
  const wanted = name.toLowerCase();
  return lines.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value);
}

/** The lines whose name is not in `names`, whatever the case. */
export function withoutHeaders(lines: readonly HeaderLine[], names: Iterable<string>): HeaderLine[] {
  const dropped = new Set(Array.from(names, (name) => name.toLowerCase()));
  return lines.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** Headers about one connection, not about the message: an intermediary never passes them on (RFC 9110, 7.6.1). In lower case. */
const HOP_BY_HOP_HEADERS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** The lines that an intermediary passes on: without {@link HOP_BY_HOP_HEADERS} and those that `Connection` names. */
export function endToEndHeaders(lines: readonly HeaderLine[]): HeaderLine[] {
  const named = headerValues(lines, 'connection').flatMap((value) => value.split(',').map((name) => name.trim()));
  return withoutHeaders(lines, [...HOP_BY_HOP_HEADERS, ...named]);
}
