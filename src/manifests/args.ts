import type { CommandSpec, FlagSpec } from '../contract/index';

/** What a flag may be given: a list where it may be repeated, else one value of its type. */
type FlagValue<F extends FlagSpec> = F extends { readonly repeatable: true }
  ? readonly string[]
  : F extends { readonly type: 'boolean' }
    ? boolean
    : F extends { readonly type: 'integer' | 'port' | 'mebibytes' | 'minutes' }
      ? number
      : string;

/** Values by the names that the contract gives the flags of a command. */
export type FlagValues<C extends CommandSpec> = {
  readonly [K in keyof C['flags']]?: FlagValue<C['flags'][K]> | undefined;
};

/** A container's `args` for a command: the given flags, in the contract's order, under the contract's names. */
export function renderArgs<C extends CommandSpec>(command: C, values: FlagValues<C>): string[] {
  const given: Readonly<Record<string, readonly string[] | boolean | number | string | undefined>> = values;
  return Object.entries(command.flags).flatMap(([name, { flag }]) => {
    const value = given[name];
    if (value === undefined) {
      return [];
    }
    if (typeof value === 'boolean') {
      return [`--${flag}=${value}`];
    }
    if (typeof value === 'object') {
      return value.flatMap((item) => [`--${flag}`, item]);
    }
    return [`--${flag}`, `${value}`];
  });
}
