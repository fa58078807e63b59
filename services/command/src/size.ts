import { UsageError } from './errors';
import { quote } from './quote';

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

/**
 * The bytes of a size such as `64MiB`, `1GiB` or `512`.
 * @throws UsageError when `text` is no size.
 */
export function parseSize(text: string): number {
  const bytes = readSize(text);
  if (bytes === undefined) throw new UsageError(`${quote(text)} is not ${SIZE_FORM}`);
  return bytes;
}

/** `bytes` exactly, as a flag takes it: `64MiB`, `1000`. */
export function writeSize(bytes: number): string {
  const unit = bytes === 0 ? undefined : NAMES.find((name) => bytes % UNITS[name] === 0);
  return unit === undefined ? `${bytes}` : `${bytes / UNITS[unit]}${unit}`;
}

/** `bytes` for people, in binary units with three significant digits or so: `512 B`, `1.5 KiB`, `64 MiB`. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  // 1023.95 KiB would be shown as 1024 KiB: the next unit begins where rounding reaches it.
  const unit = NAMES.find((name) => Math.round((size * 10) / UNITS[name]) >= 10 && size >= UNITS[name] * 0.99995);
  if (unit === undefined) return `${Math.round(bytes)} B`;
  const amount = bytes / UNITS[unit];
  return `${Number(Math.abs(amount) < 100 ? amount.toFixed(1) : amount.toFixed(0))} ${unit}`;
}
