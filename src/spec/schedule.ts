interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** What stands for `min` and those after it. */
  readonly words: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEK_DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** As Kubernetes reads them: Sunday is 0, not 7. */
const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'weekDay', min: 0, max: 6, words: WEEK_DAYS },
];

/**
 * When a CronJob starts, as crontab(5) writes it.
 *
 * @throws Error naming the prop, the field and its bounds.
 */
export function checkSchedule(prop: string, expression: string): string {
  const parts = expression.split(' ');
  FIELDS.forEach((field, i) => {
    const part = parts[i] ?? '';
    if (parts.length !== FIELDS.length || !part.split(',').every((range) => isRange(range, field))) {
      throw new Error(
        `${prop} "${expression}" has the ${field.name} "${part}": use ${field.min} to ${field.max}, or *, and ranges, steps and lists of them.`,
      );
    }
  });
  return expression;
}

/** `*` or one value or two with a dash, each with a step or without. */
function isRange(text: string, field: Field): boolean {
  const [, first, from = '', to = from] = /^(\*|([^-/]+)(?:-([^-/]+))?)(?:\/[1-9][0-9]*)?$/.exec(text) ?? [];
  if (first === '*') return true;
  const [least, most] = [valueOf(from, field), valueOf(to, field)];
  return least >= field.min && most <= field.max && least <= most;
}

/** NaN where it is none. */
function valueOf(text: string, { min, words }: Field): number {
  const word = words.indexOf(text.toLowerCase());
  return word >= 0 ? min + word : /^[0-9]+$/.test(text) ? Number(text) : NaN;
}
