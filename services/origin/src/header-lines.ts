/** One line of a message's head, in the sender's own spelling. */
export type HeaderLine = readonly [name: string, value: string];

/** Fields that belong to one connection and are never passed on (RFC 9110, 7.6.1; RFC 2616, 13.5.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
]);

/** Whether a field belongs to one connection; the name in any case. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

/** All values of a field, in order; the name in any case. */
export function valuesOf(lines: readonly HeaderLine[], name: string): string[] {
  const wanted = name.toLowerCase();
  return lines.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** The only value of a field; undefined when it is absent or empty. Several lines become one, joined by commas (RFC 9110, 5.3). */
export function valueOf(lines: readonly HeaderLine[], name: string): string | undefined {
  const joined = valuesOf(lines, name).join(', ').trim();
  return joined === '' ? undefined : joined;
}

/** The lines that may be passed on: without hop-by-hop fields and without those that `Connection` names. */
export function endToEnd(lines: readonly HeaderLine[]): HeaderLine[] {
  const named = valuesOf(lines, 'connection').flatMap((value) =>
    value.split(',').map((token) => token.trim().toLowerCase()),
  );
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return lines.filter(([name]) => !dropped.has(name.toLowerCase()));
}

/** The lines without the named fields; names in lower case. */
export function without(lines: readonly HeaderLine[], names: ReadonlySet<string>): HeaderLine[] {
  return lines.filter(([name]) => !names.has(name.toLowerCase()));
}

/** Name, value, name, value, …: a head as Node gives it (`rawHeaders`). */
export function linesFromFlat(flat: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    lines.push([flat[index] ?? '', flat[index + 1] ?? '']);
  }
  return lines;
}
