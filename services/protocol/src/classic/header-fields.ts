import { isHeaderLine, type HeaderLine } from '../http/header-lines';

/**
 * The header lines behind the `headers` of a registration (`Name:value`): split at the first colon, both sides trimmed, empty values
 * dropped, equal names joined by a comma (Dragonfly 0.x protocol, 4.8). What could not be sent as a header line is dropped too: Go
 * clients cut values at commas, and the rest arrives as an entry without a colon. Total.
 */
export function parseHeaderFields(fields: readonly string[]): HeaderLine[] {
  const lines = new Map<string, HeaderLine>();
  for (const field of fields) {
    const colon = field.indexOf(':');
    if (colon < 0) continue;
    const line: HeaderLine = [field.slice(0, colon).trim(), field.slice(colon + 1).trim()];
    if (line[1] === '' || !isHeaderLine(line)) continue;
    const key = line[0].toLowerCase();
    const earlier = lines.get(key);
    lines.set(key, earlier === undefined ? line : [earlier[0], `${earlier[1]},${line[1]}`]);
  }
  return [...lines.values()];
}

/** The `headers` of a registration for these lines: `Name:value` each, as dfget writes them. */
export function formatHeaderFields(lines: readonly HeaderLine[]): string[] {
  return lines.map(([name, value]) => `${name}:${value}`);
}
