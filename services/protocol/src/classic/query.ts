const EQUALS = '='.charCodeAt(0);

/** Names in lower case, each with its values in order. */
export type QueryFields = ReadonlyMap<string, readonly string[]>;

/**
 * Takes a query string or a form body apart. Total: whatever is given, fields come out. Clients written in Go do not escape their values
 * (Dragonfly 0.x protocol, T10), so every character but `&` may stand as it is, and a `%` that starts no escape means itself.
 *
 * @param raw the text after the `?`, or the form body
 * @param plus whether `+` means a space (a form, as Python writes it) or itself (a query, as Go writes it)
 */
export function parseFields(raw: string, plus: 'space' | 'itself'): QueryFields {
  const fields = new Map<string, string[]>();
  for (const part of raw.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = unescape(equals < 0 ? part : part.slice(0, equals), plus).toLowerCase();
    const value = equals < 0 ? '' : unescape(part.slice(equals + 1), plus);
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  }
  return fields;
}

/**
 * The last value of each of these fields of a query, or the empty string when there is none: the original protocol makes no difference.
 * Reads like {@link parseFields}, for a fifth of the time: a supernode reads thousands of queries a second, in which clients
 * write these names as they stand here.
 *
 * @param raw the text after the `?`, undecoded; `+` means itself
 * @param names as the originals write them
 */
export function lastValues<const Names extends readonly string[]>(
  raw: string,
  names: Names,
): { readonly [place in keyof Names]: string } {
  const values = names.map(() => '');
  for (let start = 0; start < raw.length;) {
    const next = raw.indexOf('&', start);
    const end = next < 0 ? raw.length : next;
    const place = placeOf(raw, start, names);
    const name = names[place];
    if (name !== undefined) values[place] = unescape(raw.slice(start + name.length + 1, end), 'itself');
    else takeOther(raw.slice(start, end), names, values);
    start = end + 1;
  }
  return values as { [place in keyof Names]: string };
}

/** Which of the names begins here and has a value; past the last when none does. */
function placeOf(raw: string, start: number, names: readonly string[]): number {
  let place = 0;
  for (const name of names) {
    if (raw.charCodeAt(start + name.length) === EQUALS && raw.startsWith(name, start)) break;
    place += 1;
  }
  return place;
}

/** A field whose name is none of those as they are written: in another case, escaped, without a value, or an unknown one. */
function takeOther(field: string, names: readonly string[], values: string[]): void {
  for (const [given, all] of parseFields(field, 'itself')) {
    const place = names.findIndex((name) => name.toLowerCase() === given);
    if (place >= 0) values[place] = all.at(-1) ?? '';
  }
}

/** A query string with escaped values in the given order; every original supernode decodes them. */
export function formatQuery(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(wellFormed(String(value)))}`)
    .join('&');
}

/** Lone surrogates become U+FFFD: encodeURIComponent throws on them. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

/** Like decodeURIComponent, but never throws: a stray `%` stays, bytes that are no UTF-8 become U+FFFD. */
function unescape(text: string, plus: 'space' | 'itself'): string {
  const spaced = plus === 'space' ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return spaced.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
