/**
 * How the value of a flag is written and what it becomes.
 *
 * - `string`, `path`: text as it is;
 * - `integer`: a whole number in decimal digits;
 * - `boolean`: the flag alone, `--flag=true` or `--flag=false`;
 * - `port`: 1 to 65535 (0 where `min` is 0: any free port);
 * - `size`: bytes, a whole number with one of `KiB MiB GiB TiB` or without a unit;
 * - `duration`: numbers with one of `h m s ms` each, in this order, such as `1.5s` and `3m0s`; becomes milliseconds;
 * - `seconds`, `minutes`: as `duration`, or a whole number of them as the originals write it; becomes milliseconds;
 * - `rate`: bytes a second, a whole number without a unit or with one of `K M G`, in either case, `B` or `iB` behind it or not;
 * - `mebibytes`: as `rate` with its unit, or a whole number of MiB a second as the originals write it; becomes bytes a second;
 * - `url`: an absolute http or https URL;
 * - `ip`: an IPv4 or IPv6 address literal;
 * - `address`: `HOST` or `HOST:PORT`, IPv6 in brackets;
 * - `choice`: one of `choices`.
 */
export type FlagType =
  | 'string'
  | 'path'
  | 'integer'
  | 'boolean'
  | 'port'
  | 'size'
  | 'duration'
  | 'seconds'
  | 'minutes'
  | 'rate'
  | 'mebibytes'
  | 'url'
  | 'ip'
  | 'address'
  | 'choice';

/** What may be written where, and what it becomes. */
export interface ValueSpec {
  readonly type: FlagType;
  /** What a user reads in `--help` and in the reference. One sentence. */
  readonly text: string;
  /** The word for the value in `--help`, such as `DIR`. Default: the type in capitals. */
  readonly placeholder?: string;
  /** The default as a user would write it. Absent: there is none. */
  readonly default?: string;
  /** May be given several times; the value becomes a list. */
  readonly repeatable?: boolean;
  /** Several values may also stand in one, separated by commas. Only with `repeatable`. */
  readonly commas?: boolean;
  /** It must be there: without it the command does not start. */
  readonly required?: boolean;
  /** The smallest allowed number, in the unit of the value (bytes, milliseconds). */
  readonly min?: number;
  /** The largest allowed number, in the unit of the value. */
  readonly max?: number;
  /** An `address` may have the weight behind it that Dragonfly 1.0 gives a supernode, `HOST:PORT=2`; it does nothing. */
  readonly weighted?: boolean;
  /** The allowed values of a `choice`. */
  readonly choices?: readonly string[];
}

/** One setting of a command: its flag, the environment variable and the configuration key that set the same. */
export interface FlagSpec extends ValueSpec {
  /** The long flag without its dashes. The classic form with one dash is accepted too. */
  readonly flag: string;
  /** The one-letter flag without its dash. */
  readonly short?: string;
  /** Other words for it, with their dashes, that the originals knew. Not in `--help`. */
  readonly aliases?: readonly string[];
  /** The environment variable that sets it when the flag is absent. */
  readonly env?: string;
  /** The key in the configuration file (`--config`) that sets it when flag and environment are absent, dots for nesting. */
  readonly key?: string;
  /** The key that holds arguments for another command, among which this flag counts when flag, environment and `key` are absent. */
  readonly among?: ArgumentsKey;
  /** An empty value in the configuration file (`advertiseIP: ""`) counts as absent. Default: it is an error. */
  readonly emptyIsAbsent?: boolean;
  /**
   * Why setting it does nothing, as the end of a sentence. Absent: it does something. Such a flag is there so that command lines and files
   * made for the original work; who sets it is told.
   */
  readonly noEffect?: string;
}

/** A key of the configuration file that holds a list, each entry of which has fields of its own: what no flag can say. */
export interface ListSpec {
  /** Dots stand for nesting. */
  readonly key: string;
  /** What a user reads in `--help` and in the reference. One sentence. */
  readonly text: string;
  /** By the name that a field has in the file and in code. */
  readonly fields: Readonly<Record<string, ValueSpec>>;
}

/** A key of the configuration file that holds arguments for another command: a list, as its command line has them. */
export interface ArgumentsKey {
  /** Dots stand for nesting. */
  readonly key: string;
  /** Why the other arguments in it do nothing, as the end of a sentence. */
  readonly text: string;
}

/** A key of the configuration file that is accepted with whatever it holds, and sets nothing. */
export interface IgnoredKey {
  /** Dots stand for nesting. */
  readonly key: string;
  /** Why it sets nothing, as the end of a sentence. */
  readonly text: string;
}

/** A positional argument of a command, such as the sub-command of `node-mirror`. It is required. */
export interface ArgumentSpec {
  readonly name: string;
  readonly text: string;
  /** The allowed values. Absent: any text. */
  readonly choices?: readonly string[];
}

/** A command with everything that a user can set. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly argument?: ArgumentSpec;
  /** By the name that the value has in code. */
  readonly flags: Readonly<Record<string, FlagSpec>>;
  /** By the name that the value has in code. */
  readonly lists?: Readonly<Record<string, ListSpec>>;
  /** Keys of the configuration file that files made for the original may hold. */
  readonly ignoredKeys?: readonly IgnoredKey[];
  /** Exit code for a wrong flag, argument or configuration key. Default 2. */
  readonly usageExitCode?: number;
}
