const UNITS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;
const RATE = /^(\d+)([kKmMgG]?)(?:i?[bB])?$/;

const MIB = UNITS.m;

/** How a rate is written, for messages. */
export const RATE_FORM =
  'a rate such as 20M (a whole number above 0 of bytes a second, or with K, M or G for KiB, MiB or GiB)';

/** What stands behind a number of MiB a second, for messages. */
export const OR_RATE = 'or a rate with its unit such as 20M';

/**
 * The bytes a second of a rate as the originals write it (Dragonfly 0.x protocol, 11, T15: `20M`, `20k`), as their files do (`1048576`), or as
 * people do (`20MB`, `20MiB`); undefined when `text` is none.
 */
export function readRate(text: string): number | undefined {
  const match = RATE.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase() as keyof typeof UNITS];
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * The bytes a second of a whole number of MiB a second, as the files and flags of Dragonfly 0.4 write a bandwidth, or of a rate with its unit, as
 * those of 1.0 do; undefined when `text` is none.
 */
export function readMebibytes(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return readRate(text);
  const bytes = Number(text) * MIB;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `bytes` a second in MiB, for messages. */
export function writeMebibytes(bytes: number): string {
  return `${bytes / MIB}`;
}
