const UNITS = { k: 1024, m: 1024 ** 2 } as const;
const RATE = /^(\d+)([kKmM])$/;

/** How a rate is written, for messages. */
export const RATE_FORM = 'a rate such as 20M (a whole number above 0, with k or K for KiB, m or M for MiB a second)';

/** The bytes a second of a rate as the originals write it (Dragonfly 0.x protocol, 11, T15); undefined when `text` is none. */
export function readRate(text: string): number | undefined {
  const match = RATE.exec(text);
  if (!match) return undefined;
  const bytes = Number(match[1]) * UNITS[(match[2] ?? 'k').toLowerCase() as keyof typeof UNITS];
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
