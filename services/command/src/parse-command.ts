import type { CommandSpec, FlagSpec, ListSpec } from '@cdk8s-dragonfly/contract';
import { placeholderOf, readArguments, usageOf, type GivenArguments } from './arguments';
import type { CommandValues } from './command-values';
import { readConfig, type ConfigSettings } from './config-file';
import { UsageError } from './errors';
import { flagValue, orList } from './flag-value';
import type { IdleSetting } from './idle-settings';
import { findAmong, type Among } from './other-arguments';
import { quote } from './quote';
import { readNamedFile, readTextFile, type ReadFile } from './text-file';
import { idleWeights } from './weights';

/** Environment variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The world around a command line. */
export interface CommandInputs {
  /** Environment variables; an empty one counts as absent. */
  readonly env: Environment;
  /** How files are read. Default: from the file system. */
  readonly readFile?: ReadFile;
}

/** Who set a value. */
export type ValueSource = 'flag' | 'env' | 'file' | 'default' | 'none';

interface Given {
  readonly source: ValueSource;
  readonly texts: readonly string[];
  /** For messages. */
  readonly where: string;
}

const SOURCES = new WeakMap<object, ReadonlyMap<string, ValueSource>>();
const IDLE = new WeakMap<object, readonly IdleSetting[]>();

/**
 * The values that a command is started with: each from its flag, else its environment variable, else its key in the
 * configuration file, else its default. The result and the lists in it are frozen. `--help` and `--version` are passed over: `runCommand` answers them.
 * @throws UsageError, one line: what is wrong (flag, variable, or key and file), what was given, what is allowed.
 */
export function parseCommand<const Spec extends CommandSpec>(
  spec: Spec,
  argv: readonly string[],
  inputs: CommandInputs,
): CommandValues<Spec> {
  return valuesOf(spec, readArguments(spec, argv), inputs);
}

/** As `parseCommand`, from a command line that is already taken apart. */
export function valuesOf<const Spec extends CommandSpec>(
  spec: Spec,
  given: GivenArguments,
  { env, readFile = readTextFile }: CommandInputs,
): CommandValues<Spec> {
  if (given.error) throw given.error;
  const argument = argumentOf(spec, given.positionals);
  const config = configOf(spec, given, env, readFile);
  const values: Record<string, unknown> = {};
  const sources = new Map<string, ValueSource>();
  const idle = idleKeys(spec, config);
  for (const [name, flag] of Object.entries(spec.flags)) {
    const among = config && findAmong(flag, config);
    const found = find(flag, { given: given.flags.get(name), env, config, among });
    idle.push(...idleAmong(flag, among, found));
    if (flag.weighted === true) idle.push(...idleWeights(found.texts, found.where));
    if (flag.required === true && found.texts.length === 0) throw missing(flag, config);
    sources.set(name, found.source);
    if (flag.noEffect !== undefined && found.source !== 'none' && found.source !== 'default') {
      idle.push({ where: found.where, why: flag.noEffect });
    }
    values[name] =
      found.source === 'none' && flag.repeatable !== true ? undefined : flagValue(flag, found.texts, found.where);
  }
  for (const [name, list] of Object.entries(spec.lists ?? {})) values[name] = listOf(list, config);
  if (argument !== undefined) values['argument'] = argument;
  SOURCES.set(values, sources);
  IDLE.set(values, idle);
  // The names and types of the values are those of the specification by construction; TypeScript cannot follow a loop.
  return Object.freeze(values) as CommandValues<Spec>;
}

/** Who set the value `name` of the result of `parseCommand`; undefined when `values` is not such a result. */
export function sourceOf<Values extends object>(values: Values, name: keyof Values & string): ValueSource | undefined {
  return SOURCES.get(values)?.get(name);
}

/** What was given and does nothing, in the result of `parseCommand`: for a word to the user. */
export function idleSettings(values: object): readonly IdleSetting[] {
  return IDLE.get(values) ?? [];
}

interface Config extends ConfigSettings {
  readonly file: string;
}

function idleKeys({ ignoredKeys = [] }: CommandSpec, config: Config | undefined): IdleSetting[] {
  return ignoredKeys.flatMap(({ key, text }) =>
    config?.ignored.includes(key) === true ? [{ where: `the key ${key} in ${config.file}`, why: text }] : [],
  );
}

/** What a key with arguments for another command holds that does nothing here. */
function idleAmong({ among: spec }: FlagSpec, among: Among | undefined, found: Given): IdleSetting[] {
  if (spec === undefined || among === undefined) return [];
  const { texts, others, where } = among;
  return [
    ...(texts.length === 0 || found.where === where ? [] : [{ where, why: `${found.where} wins` }]),
    ...(others.length === 0 ? [] : [{ where: `${others.join(', ')} in ${among.at}`, why: spec.text }]),
  ];
}

function configOf(spec: CommandSpec, given: GivenArguments, env: Environment, readFile: ReadFile): Config | undefined {
  const entry = Object.entries(spec.flags).find(([, flag]) => flag.flag === 'config');
  if (!entry) return undefined;
  const [name, flag] = entry;
  const found = find(flag, { given: given.flags.get(name), env });
  if (found.source === 'none') return undefined;
  const file = flagValue(flag, found.texts, found.where);
  if (typeof file !== 'string') throw new TypeError(`the flag --config of ${spec.name} must be of the type path`);
  const text = readNamedFile(file, found.source === 'default' ? undefined : found.where, readFile);
  const known = Object.values(spec.flags).flatMap(({ key, among }) =>
    [key, among?.key].filter((one) => one !== undefined),
  );
  const ignored = (spec.ignoredKeys ?? []).map(({ key }) => key);
  const lists = new Map(Object.values(spec.lists ?? {}).map(({ key, fields }) => [key, Object.keys(fields)]));
  return { file, ...readConfig(text ?? '', { known, lists, ignored }, file) };
}

/** The entries that the configuration file has for a list. */
function listOf({ key, fields }: ListSpec, config: Config | undefined): readonly unknown[] {
  const entries = config?.entries.get(key) ?? [];
  return Object.freeze(
    entries.map((entry, index) => {
      const values = Object.entries(fields).map(([name, field]) => {
        const where = `the key ${name} of entry ${index + 1} of ${key} in ${config?.file ?? ''}`;
        const texts = entry.get(name) ?? (field.default === undefined ? [] : [field.default]);
        if (texts.length > 0 || field.repeatable === true) return [name, flagValue(field, texts, where)];
        if (field.required === true) throw new UsageError(`${where} is missing: ${field.text}`);
        return [name, undefined];
      });
      return Object.freeze(Object.fromEntries(values) as Record<string, unknown>);
    }),
  );
}

interface Sources {
  readonly given: readonly string[] | undefined;
  readonly env: Environment;
  readonly config?: Config | undefined;
  readonly among?: Among | undefined;
}

function find(flag: FlagSpec, { given, env, config, among }: Sources): Given {
  if (given) return { source: 'flag', texts: given, where: `--${flag.flag}` };
  const variable = flag.env === undefined ? undefined : env[flag.env];
  if (flag.env !== undefined && variable !== undefined && variable !== '') {
    return { source: 'env', texts: [variable], where: `the environment variable ${flag.env}` };
  }
  const setting = flag.key === undefined ? undefined : config?.settings.get(flag.key);
  const named = among !== undefined && among.texts.length > 0;
  if (flag.key !== undefined && config && setting) {
    const passOver = setting.length === 0 && (flag.emptyIsAbsent === true || named);
    if (!passOver) return { source: 'file', texts: setting, where: `the key ${flag.key} in ${config.file}` };
  }
  if (named) return { source: 'file', texts: among.texts, where: among.where };
  if (flag.default !== undefined) {
    return { source: 'default', texts: [flag.default], where: `the default of --${flag.flag}` };
  }
  return { source: 'none', texts: [], where: `--${flag.flag}` };
}

function missing(flag: FlagSpec, config: Config | undefined): UsageError {
  const short = flag.short === undefined ? '' : ` (or -${flag.short} ${placeholderOf(flag)})`;
  const ways = [`give --${flag.flag} ${placeholderOf(flag)}${short}`];
  if (flag.env !== undefined) ways.push(`set the environment variable ${flag.env}`);
  if (flag.key !== undefined && config) ways.push(`set the key ${flag.key} in ${config.file}`);
  return new UsageError(`--${flag.flag} is required: ${orList(ways)}`);
}

function argumentOf(spec: CommandSpec, positionals: readonly string[]): string | undefined {
  const [first, second] = positionals;
  const { argument } = spec;
  if (!argument) {
    if (first === undefined) return undefined;
    throw new UsageError(`unexpected argument ${quote(first)}; ${spec.name} takes flags only`);
  }
  const { name, choices } = argument;
  if (first === undefined || (first === '' && choices === undefined)) {
    throw new UsageError(`the ${name} is missing: say ${choices ? orList(choices) : usageOf(spec)}`);
  }
  if (choices?.includes(first) === false) {
    throw new UsageError(`the ${name} must be ${orList(choices)}, not ${quote(first)}`);
  }
  if (second !== undefined) {
    throw new UsageError(
      `unexpected argument ${quote(second)} after ${choices ? first : quote(first)}; ${spec.name} takes one ${name}`,
    );
  }
  return first;
}
