import { UsageError } from './errors';
import { quote } from './quote';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const NAMES = ['h', 'm', 's'] as const;
const ORDER = ['h', 'm', 's', 'ms'] as const;
const DURATION = new RegExp(`^(?=\\d)${ORDER.map((unit) => `(?:(\\d+(?:\\.\\d+)?)${unit})?`).join('')}$`);

/** How a duration is written, for messages. */
export const DURATION_FORM = 'a duration such as 1s (a number with ms, s, m or h)';

/** The milliseconds of a duration such as `1.5s`, or `3m0s` as Go programs write it, rounded to whole ones; undefined when `text` is none. */
export function readDuration(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const milliseconds = Math.round(ORDER.reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * UNITS[unit], 0));
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/**
 * The milliseconds of a duration such as `250ms`, `1.5s`, `10m` or `1h30m`.
 * @throws UsageError when `text` is no duration.
 */
export function parseDuration(text: string): number {
  const milliseconds = readDuration(text);
  if (milliseconds === undefined) throw new UsageError(`${quote(text)} is not ${DURATION_FORM}`);
  return milliseconds;
}

/** `milliseconds` exactly, as a flag takes it: `60s` is `1m`, `1500` is `1500ms`. */
export function writeDuration(milliseconds: number): string {
  const unit = milliseconds === 0 ? undefined : NAMES.find((name) => milliseconds % UNITS[name] === 0);
  return unit === undefined ? `${milliseconds}ms` : `${milliseconds / UNITS[unit]}${unit}`;
}

/** `milliseconds` for people: `350 ms`, `1.2 s`, `1 min 5 s`, `2 h 3 min`. */
export function formatDuration(milliseconds: number): string {
  const whole = Math.round(milliseconds);
  if (whole < 1000) return `${whole} ms`;
  const tenths = Math.round(whole / 100);
  if (tenths < 600) return `${tenths / 10} s`;
  const seconds = Math.round(whole / 1000);
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  return twoUnits(Math.round(seconds / 60), 60, 'h', 'min');
}

function twoUnits(amount: number, ratio: number, large: string, small: string): string {
  const rest = amount % ratio;
  const head = `${Math.floor(amount / ratio)} ${large}`;
  return rest === 0 ? head : `${head} ${rest} ${small}`;
}
