import type { FlagSpec } from '@cdk8s-dragonfly/contract';
import { readArguments } from './arguments';
import type { ConfigSettings } from './config-file';

/** What stands among the arguments for another command that a key of the configuration file holds. */
export interface Among {
  /** The texts given to the flag that is looked for. */
  readonly texts: readonly string[];
  /** The names of all other flags, with their dashes and without their values, which may be secrets. */
  readonly others: readonly string[];
  /** Who gave the texts, for messages. */
  readonly where: string;
  /** The key and its file, for messages. */
  readonly at: string;
}

/**
 * Looks for `flag` among the arguments in its key `among`; undefined when it has none, or nobody set it. What the other flags are is not known
 * here: the word behind one of them, its value or not, is passed over.
 */
export function findAmong(
  flag: FlagSpec,
  { settings, file }: Pick<ConfigSettings, 'settings'> & { readonly file: string },
): Among | undefined {
  const key = flag.among?.key;
  const words = key === undefined ? undefined : settings.get(key);
  if (key === undefined || words === undefined) return undefined;
  const { flags, unknown } = readArguments({ name: key, summary: '', flags: { flag } }, words);
  const at = `the key ${key} in ${file}`;
  return { texts: flags.get('flag') ?? [], others: [...new Set(unknown)], where: `--${flag.flag} in ${at}`, at };
}
