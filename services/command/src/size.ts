const UNITS = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;
const NAMES = ['TiB', 'GiB', 'MiB', 'KiB'] as const;
const SIZE = /^(\d+)(KiB|MiB|GiB|TiB)?$/;

/** How a size is written, for messages. */
export const SIZE_FORM = 'a size such as 64MiB (a whole number, with KiB, MiB, GiB, TiB or no unit for bytes)';

/** The bytes of a size such as `64MiB` or `512`; undefined when `text` is none. */
export function readSize(text: string): number | undefined {
  const match = SIZE.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * UNITS[(match[2] ?? '') as keyof typeof UNITS];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `bytes` exactly, as a flag takes it: `64MiB`, `1000`. */
export function writeSize(bytes: number): string {
  const unit = bytes === 0 ? undefined : NAMES.find((name) => bytes % UNITS[name] === 0);
  return unit === undefined ? `${bytes}` : `${bytes / UNITS[unit]}${unit}`;
}

/** `bytes` (0 or more) for people, in binary units: `512 B`, `1.5 KiB`, `64 MiB`. */
export function formatBytes(bytes: number): string {
  // 1023.5 KiB would be rounded to 1024 KiB: the next unit begins there.
  const unit = NAMES.find((name) => bytes >= UNITS[name] * 0.9995);
  if (unit === undefined) return `${Math.round(bytes)} B`;
  const amount = bytes / UNITS[unit];
  return `${Number(amount.toFixed(amount < 100 ? 1 : 0))} ${unit}`;
}
