import type { CommandSpec, FlagSpec } from '@cdk8s-dragonfly/contract';
import { UsageError } from './errors';
import { nearest } from './nearest';
import { quote } from './quote';

/** What stood on the command line, not yet read as values. */
export interface GivenArguments {
  /** `--help`, `-help` or `-h` was there. */
  readonly help: boolean;
  /** `--version`, `-version` or `-v` was there. */
  readonly version: boolean;
  /** The texts given to each flag, by the name that it has in code. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
  /** The flags that are unknown, with their dashes and without values. */
  readonly unknown: readonly string[];
  /** The first flag that is unknown or lacks its value. */
  readonly error: UsageError | undefined;
}

/**
 * Takes the command line apart: `--flag VALUE`, `--flag=VALUE`, `-f VALUE`, `-f=VALUE`, and the classic long form with one dash,
 * `-flag VALUE` (the one of Go's flag package, in which Dragonfly 0.2 was called; the common parsers read it as `-f -l -a -g`).
 * After `--` nothing is a flag. Wrong input is reported in `error`, so that `--help` is answered whatever else is there.
 */
export function readArguments(spec: CommandSpec, argv: readonly string[]): GivenArguments {
  const byWord = flagsByWord(spec);
  const flags = new Map<string, string[]>();
  const positionals: string[] = [];
  const unknown: string[] = [];
  let help = false;
  let version = false;
  let error: UsageError | undefined;

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (word === '--') {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!isFlag(word)) {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const dashed = equals < 0 ? word : word.slice(0, equals);
    const known = byWord.get(dashed);
    if (known === undefined) {
      if (dashed === '--help' || dashed === '-help' || dashed === '-h') help = true;
      else if (dashed === '--version' || dashed === '-version' || dashed === '-v') version = true;
      else {
        unknown.push(dashed);
        error ??= unknownFlag(spec, dashed, byWord.keys());
      }
      continue;
    }
    const [name, flag] = known;
    let text = equals < 0 ? undefined : word.slice(equals + 1);
    if (text === undefined && flag.type === 'boolean') text = 'true';
    if (text === undefined) {
      const next = argv[index + 1];
      if (next === undefined || isFlag(next)) {
        error ??= missingValue(flag);
        continue;
      }
      text = next;
      index++;
    }
    flags.set(name, [...(flags.get(name) ?? []), text]);
  }
  return { help, version, flags, positionals, unknown, error };
}

/** A lone `-` is a value by custom: standard input or output. */
function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith('-');
}

function flagsByWord(spec: CommandSpec): Map<string, readonly [string, FlagSpec]> {
  const byWord = new Map<string, readonly [string, FlagSpec]>();
  for (const entry of Object.entries(spec.flags)) {
    const [, flag] = entry;
    byWord.set(`--${flag.flag}`, entry);
    byWord.set(`-${flag.flag}`, entry);
    if (flag.short !== undefined) byWord.set(`-${flag.short}`, entry);
    for (const alias of flag.aliases ?? []) byWord.set(alias, entry);
  }
  return byWord;
}

function unknownFlag(spec: CommandSpec, given: string, known: Iterable<string>): UsageError {
  const long = `--${given.replace(/^-+/, '')}`;
  const words = [...known, '--help', '--version'].filter((word) => word.startsWith('--'));
  const near = nearest(long, words);
  const advice = near === undefined ? `${spec.name} --help lists the flags` : `did you mean ${near}?`;
  return new UsageError(`unknown flag ${quote(given)}; ${advice}`);
}

function missingValue(flag: FlagSpec): UsageError {
  const form = `--${flag.flag} ${placeholderOf(flag)}`;
  return new UsageError(
    `--${flag.flag} needs a value: ${form} (or --${flag.flag}=VALUE when the value starts with a dash)`,
  );
}

/** How a command is called, without its flags: `node-mirror apply|plan|check|restore`, `dfget preheat IMAGE`. */
export function usageOf({ name, argument }: CommandSpec): string {
  return argument ? `${name} ${argument.choices?.join('|') ?? argument.name.toUpperCase()}` : name;
}

/** The word for a flag's value in help and messages. */
export function placeholderOf(flag: FlagSpec): string {
  return flag.placeholder ?? flag.type.toUpperCase();
}
