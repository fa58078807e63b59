import { parseDocument } from 'yaml';
import { UsageError } from './errors';
import { nearest } from './nearest';

/**
 * The settings in a YAML configuration file, as texts by key. Dots in a key stand for nesting: `base.listenPort` is `listenPort` in `base`.
 * Scalars are taken as they are written (YAML 1.2.2, 10.1 "failsafe schema"); a list gives several texts, an empty value none.
 * @param keys The keys that the command knows.
 * @param file The name of the file, for messages.
 * @throws UsageError when the text is not YAML, or holds a key that is not in `keys`.
 */
export function readConfig(
  text: string,
  keys: readonly string[],
  file: string,
): ReadonlyMap<string, readonly string[]> {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error', prettyErrors: true });
  const [problem] = document.errors;
  if (problem) {
    const summary = problem.message.split('\n', 1)[0] ?? problem.code;
    throw new UsageError(`${file} is not valid YAML: ${summary.replace(/:$/, '')}`);
  }
  const root: unknown = document.toJS();
  const settings = new Map<string, readonly string[]>();
  if (root === null || root === '') return settings;
  if (!isMapping(root)) throw new UsageError(`${file} must hold keys and values, such as ${keys[0] ?? 'key'}: VALUE`);
  collect(root, '', { keys, file, settings });
  return settings;
}

interface Collecting {
  readonly keys: readonly string[];
  readonly file: string;
  readonly settings: Map<string, readonly string[]>;
}

function collect(mapping: Readonly<Record<string, unknown>>, prefix: string, into: Collecting): void {
  for (const [name, value] of Object.entries(mapping)) {
    const key = `${prefix}${name}`;
    if (name.includes('.')) throw unknownKey(key, into);
    if (into.keys.includes(key)) {
      into.settings.set(key, textsOf(value, key, into.file));
      continue;
    }
    const nested = into.keys.find((known) => known.startsWith(`${key}.`));
    if (nested === undefined) throw unknownKey(key, into);
    if (isMapping(value)) collect(value, `${key}.`, into);
    else if (value !== '' && value !== null) {
      throw new UsageError(`the key ${key} in ${into.file} must hold further keys, such as ${nested}`);
    }
  }
}

function unknownKey(key: string, { keys, file }: Collecting): UsageError {
  const near = nearest(key, keys);
  let advice = near === undefined ? `the keys are ${keys.join(', ')}` : `did you mean ${near}?`;
  if (near === key) advice = 'its dots stand for nesting: one key in another';
  return new UsageError(`unknown key ${key} in ${file}; ${advice}`);
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
