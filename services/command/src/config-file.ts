import { parseDocument } from 'yaml';
import { UsageError } from './errors';
import { nearest } from './nearest';

/** The keys that a configuration file may have. */
export interface ConfigKeys {
  /** Those that set something. */
  readonly known: readonly string[];
  /** Those that hold a list of entries, and the fields that an entry may have. Default none. */
  readonly lists?: ReadonlyMap<string, readonly string[]>;
  /** Those that are passed over with all that they hold. Default none. */
  readonly ignored?: readonly string[];
  /** Any other key is passed over too: the file is another command's, which checks it. Default: it is an error. */
  readonly anyOther?: boolean;
}

/** An entry of a list: the texts that each of its fields holds. */
export type ConfigEntry = ReadonlyMap<string, readonly string[]>;

/** What a configuration file says. */
export interface ConfigSettings {
  /** The texts that each key holds. */
  readonly settings: ReadonlyMap<string, readonly string[]>;
  /** The entries that each list holds. */
  readonly entries: ReadonlyMap<string, readonly ConfigEntry[]>;
  /** The keys that were passed over. */
  readonly ignored: readonly string[];
}

/**
 * The settings in a YAML configuration file, as texts by key. Dots in a key stand for nesting: `base.listenPort` is `listenPort` in `base`.
 * Scalars are taken as they are written (YAML 1.2.2, 10.1 "failsafe schema"); a list gives several texts, an empty value none.
 * @param keys Those that the command has.
 * @param file The name of the file, for messages.
 * @throws UsageError when the text is not YAML, or holds a key that is not in `keys`.
 */
export function readConfig(
  text: string,
  { known, lists = new Map(), ignored = [], anyOther = false }: ConfigKeys,
  file: string,
): ConfigSettings {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    const summary = problem.message.split('\n', 1)[0] ?? problem.code;
    throw new UsageError(`${file} is not valid YAML: ${summary.replace(/:$/, '')}`);
  }
  const root: unknown = document.toJS();
  const into = { settings: new Map(), entries: new Map(), ignored: [] };
  const found: Collecting = { known, lists, ignorable: ignored, anyOther, file, ...into };
  if (root === null || root === '') return found;
  if (!isMapping(root)) throw new UsageError(`${file} must hold keys and values, such as ${known[0] ?? 'key'}: VALUE`);
  collect(root, '', found);
  return found;
}

interface Collecting extends ConfigSettings {
  readonly known: readonly string[];
  readonly lists: ReadonlyMap<string, readonly string[]>;
  readonly ignorable: readonly string[];
  readonly anyOther: boolean;
  readonly file: string;
  readonly settings: Map<string, readonly string[]>;
  readonly entries: Map<string, readonly ConfigEntry[]>;
  readonly ignored: string[];
}

function collect(mapping: Readonly<Record<string, unknown>>, prefix: string, into: Collecting): void {
  for (const [name, value] of Object.entries(mapping)) {
    const key = `${prefix}${name}`;
    if (name.includes('.')) {
      refuseUnlessAny(key, into);
      continue;
    }
    if (into.known.includes(key)) {
      into.settings.set(key, textsOf(value, key, into.file));
      continue;
    }
    const fields = into.lists.get(key);
    if (fields !== undefined) {
      into.entries.set(key, entriesOf(value, key, fields, into.file));
      continue;
    }
    if (into.ignorable.includes(key)) {
      into.ignored.push(key);
      continue;
    }
    const nested = allKeys(into).find((deeper) => deeper.startsWith(`${key}.`));
    if (nested === undefined) refuseUnlessAny(key, into);
    else if (isMapping(value)) collect(value, `${key}.`, into);
    else if (value !== '' && value !== null) {
      throw new UsageError(`the key ${key} in ${into.file} must hold further keys, such as ${nested}`);
    }
  }
}

function allKeys({ known, lists, ignorable }: Collecting): readonly string[] {
  return [...known, ...lists.keys(), ...ignorable];
}

function refuseUnlessAny(key: string, into: Collecting): void {
  if (!into.anyOther) throw unknownKey(key, into);
}

function unknownKey(key: string, into: Collecting): UsageError {
  const keys = allKeys(into);
  const near = nearest(key, keys);
  let advice = near === undefined ? `the keys are ${keys.join(', ')}` : `did you mean ${near}?`;
  if (near === key) advice = 'its dots stand for nesting: one key in another';
  return new UsageError(`unknown key ${key} in ${into.file}; ${advice}`);
}

function entriesOf(value: unknown, key: string, fields: readonly string[], file: string): readonly ConfigEntry[] {
  if (value === '' || value === null) return [];
  if (!Array.isArray(value) || !value.every(isMapping)) {
    throw new UsageError(
      `the key ${key} in ${file} must hold a list of entries, such as "- ${fields[0] ?? ''}: VALUE"`,
    );
  }
  return value.map((entry, index) => {
    const texts = Object.entries(entry).map(([field, held]) => {
      if (!fields.includes(field)) {
        const near = nearest(field, fields);
        const advice = near === undefined ? `its keys are ${fields.join(', ')}` : `did you mean ${near}?`;
        throw new UsageError(`unknown key ${field} in entry ${index + 1} of ${key} in ${file}; ${advice}`);
      }
      return [field, textsOf(held, `${key}[${index}].${field}`, file)] as const;
    });
    return new Map(texts);
  });
}

function textsOf(value: unknown, key: string, file: string): readonly string[] {
  if (value === '' || value === null) return [];
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => {
    if (typeof item === 'string') return item;
    throw new UsageError(`the key ${key} in ${file} must hold a value or a list of values, no further keys`);
  });
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
