import type { ArgumentSpec, CommandSpec, ListSpec, ValueSpec } from '@cdk8s-dragonfly/contract';
import type { Address } from './address';

/** What one value of each flag type becomes: sizes are bytes, durations milliseconds, rates bytes a second. */
interface ValueOfType<Choice> {
  readonly string: string;
  readonly path: string;
  readonly integer: number;
  readonly boolean: boolean;
  readonly port: number;
  readonly size: number;
  readonly duration: number;
  readonly seconds: number;
  readonly minutes: number;
  readonly rate: number;
  readonly mebibytes: number;
  readonly url: URL;
  readonly ip: string;
  readonly address: Address;
  readonly choice: Choice;
}

type ChoiceOf<Value> = Value extends { readonly choices: readonly (infer Choice extends string)[] } ? Choice : string;

type OneValue<Flag extends ValueSpec> = ValueOfType<ChoiceOf<Flag>>[Flag['type']];

/** The type of the value that a flag, or a field of a list, of the contract sets. */
export type FlagValue<Flag extends ValueSpec> = Flag extends { readonly repeatable: true }
  ? readonly OneValue<Flag>[]
  : Flag extends { readonly default: string } | { readonly required: true }
    ? OneValue<Flag>
    : OneValue<Flag> | undefined;

/** The values of a command's flags, by the names that the contract gives them in code. */
export type FlagValues<Spec extends CommandSpec> = {
  readonly [Name in keyof Spec['flags']]: FlagValue<Spec['flags'][Name]>;
};

/** An entry of a list of the configuration file. */
export type ListEntry<List extends ListSpec> = {
  readonly [Name in keyof List['fields']]: FlagValue<List['fields'][Name]>;
};

type ListValues<Spec extends CommandSpec> = Spec extends {
  readonly lists: infer Lists extends Readonly<Record<string, ListSpec>>;
}
  ? { readonly [Name in keyof Lists]: readonly ListEntry<Lists[Name]>[] }
  : unknown;

/** All that a command was given: the values of its flags and lists, and `argument` where it takes one. */
export type CommandValues<Spec extends CommandSpec> = FlagValues<Spec> &
  ListValues<Spec> &
  (Spec extends { readonly argument: infer Argument extends ArgumentSpec }
    ? { readonly argument: ChoiceOf<Argument> }
    : unknown);
