/** What a value has to be. Types say it already; JavaScript, and values that come from elsewhere, do not heed them. */
export interface Check<Value> {
  /** @throws Error naming the prop, the value and what to write. */
  (prop: string, value: unknown): void;
  /** Never there: it ties the check to the type. */
  readonly of?: Value;
}

/** A check for each prop. */
export type Checks<Props> = { readonly [Prop in keyof Required<Props>]: Check<NonNullable<Props[Prop]>> };

/** Text. */
export const text: Check<string> = (prop, value) => {
  if (typeof value !== 'string') refuse(prop, value, 'a text in quotes');
};

/** A number. */
export const number: Check<number> = (prop, value) => {
  if (typeof value !== 'number' || Number.isNaN(value)) refuse(prop, value, 'a number, without quotes');
};

/** The number of a user or a group. */
export const id: Check<number> = (prop, value) => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_ID) {
    refuse(prop, value, `a whole number from 0 to ${MAX_ID}`);
  }
};

const MAX_ID = 2 ** 31 - 1;

/** Yes or no. */
export const bool: Check<boolean> = (prop, value) => {
  if (typeof value !== 'boolean') refuse(prop, value, 'true or false, without quotes');
};

/** Something of Kubernetes' own API, which is not looked into. */
export const anObject: Check<never> = (prop, value) => {
  if (!isObject(value)) refuse(prop, value, 'an object');
};

/** Texts by names. */
export const texts: Check<Readonly<Record<string, string>>> = (prop, value) => {
  if (!isObject(value)) refuse(prop, value, "an object of names and texts, such as { team: 'storage' }");
  for (const [name, one] of Object.entries(value)) text(`${prop}["${name}"]`, one);
};

/**
 * Values in a list.
 *
 * @param example how to write one
 */
export function listOf<Value>(check: Check<Value>, example = 'a list in brackets'): Check<Value[]> {
  return (prop, value) => {
    if (!Array.isArray(value)) refuse(prop, value, example);
    value.forEach((one: unknown, i) => check(`${prop}[${i}]`, one));
  };
}

/**
 * An object of a class: known by a member, since an app may have its classes from another copy of the package.
 *
 * @param example how to write one
 */
export function withMember<Value>(member: string & keyof Value, example: string): Check<Value> {
  return (prop, value) => {
    if (!isObject(value) || !(member in value)) refuse(prop, value, example);
  };
}

/** One of the values of an enum of this name. */
export function oneOf<Value extends string>(name: string, values: Readonly<Record<string, Value>>): Check<Value> {
  return (prop, value) => {
    if (!Object.values<unknown>(values).includes(value)) {
      refuse(
        prop,
        value,
        Object.keys(values)
          .map((key) => `${name}.${key}`)
          .join(' or '),
      );
    }
  };
}

/**
 * Props: those that there are and no other.
 *
 * @param required of which some must be there; what says itself that it is missing need not be named
 */
export function propsOf<Props extends object>(
  checks: Checks<Props>,
  required: readonly (string & keyof Props)[] = [],
): Check<Props> {
  const known = new Map(Object.entries<Check<unknown>>(checks));
  return (prop, value) => {
    if (!isObject(value))
      refuse(prop === '' ? 'the last argument' : prop, value, `an object with ${[...known.keys()].join(', ')}`);
    for (const [name, one] of Object.entries(value)) {
      if (one === undefined) continue;
      const check = known.get(name);
      if (check === undefined) {
        throw new Error(
          `${prop === '' ? '' : `${prop} has `}"${name}"${prop === '' ? ' is no prop' : ', which is no prop of it'}: use ${[...known.keys()].join(', ')}.`,
        );
      }
      check(within(prop, name), one);
    }
    for (const name of required) known.get(name)?.(within(prop, name), (value as Partial<Props>)[name]);
  };
}

function within(prop: string, name: string): string {
  return prop === '' ? name : `${prop}.${name}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(prop: string, value: unknown, what: string): never {
  throw new Error(
    value === undefined ? `${prop} is missing: write ${what}.` : `${prop} is ${shown(value)}: write ${what}.`,
  );
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${JSON.stringify(value)}`;
  if (typeof value === 'object' && value !== null) return 'an object of another kind';
  return typeof value === 'function' ? 'a function' : String(value);
}
