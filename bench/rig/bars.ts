/** A bar, and what was measured against it. */
export interface Bar {
  readonly what: string;
  readonly held: boolean;
  /** The figure, for people. */
  readonly value: string;
}

/** A figure that must not be above a limit. */
export function atMost(what: string, value: number, limit: number, unit = ''): Bar {
  return { what: `${what}: at most ${limit}${unit}`, held: value <= limit, value: `${round(value)}${unit}` };
}

/** A bar as a line. */
export function lineOf({ what, held, value }: Bar): string {
  return `  ${held ? 'held  ' : 'MISSED'} ${what}: ${value}\n`;
}

function round(value: number): string {
  return Number.isInteger(value) ? `${value}` : value.toFixed(value < 10 ? 3 : 1);
}
