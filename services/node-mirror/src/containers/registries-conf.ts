import { readToml, valueAt } from '../toml/toml-text';

/** A mirror of an entry. */
export interface MirrorEntry {
  readonly location: string;
  readonly insecure: boolean;
  /** `all`, `digest-only` or `tag-only`; absent: as the entry says. */
  readonly pullFromMirror?: string;
}

/** What the files say of one prefix. The last file that names a prefix replaces all that others say of it. */
export interface RegistryEntry {
  /** The file that says it. */
  readonly file: string;
  readonly prefix: string;
  /** Where its images really are; absent with a wildcard. */
  readonly location?: string;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrorByDigestOnly: boolean;
  readonly mirrors: readonly MirrorEntry[];
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function mirrorOf(value: unknown): MirrorEntry {
  const pullFromMirror = text(valueAt(value, 'pull-from-mirror'));
  return {
    location: text(valueAt(value, 'location')),
    insecure: valueAt(value, 'insecure') === true,
    ...(pullFromMirror === '' ? {} : { pullFromMirror }),
  };
}

/** The entries of a file in the old form (`[registries.insecure]`, `[registries.block]`). */
function oldEntries(file: string, value: unknown): readonly RegistryEntry[] {
  const insecure = list(valueAt(value, 'registries', 'insecure', 'registries')).map(text);
  const blocked = list(valueAt(value, 'registries', 'block', 'registries')).map(text);
  return [...new Set([...insecure, ...blocked])].map((host) => ({
    file,
    prefix: host,
    location: host,
    insecure: insecure.includes(host),
    blocked: blocked.includes(host),
    mirrorByDigestOnly: false,
    mirrors: [],
  }));
}

/**
 * The entries of a registries.conf, or of a drop-in, in order.
 *
 * @throws Refusal with line and column when it is not valid: with such a file every pull of every registry fails already
 */
export function entriesOf(file: string, content: string): readonly RegistryEntry[] {
  const { value } = readToml(file, content);
  const entries = list(valueAt(value, 'registry')).map((entry): RegistryEntry => {
    const location = text(valueAt(entry, 'location'));
    const prefix = text(valueAt(entry, 'prefix'));
    return {
      file,
      prefix: prefix === '' ? location : prefix,
      ...(location === '' ? {} : { location }),
      insecure: valueAt(entry, 'insecure') === true,
      blocked: valueAt(entry, 'blocked') === true,
      mirrorByDigestOnly: valueAt(entry, 'mirror-by-digest-only') === true,
      mirrors: list(valueAt(entry, 'mirror')).map(mirrorOf),
    };
  });
  return [...oldEntries(file, value), ...entries];
}

/**
 * What is said of a registry without us: by the last entry with its name as the prefix, else by that with the longest wildcard.
 *
 * @param entries in the order in which the files are read
 */
export function entryFor(entries: readonly RegistryEntry[], host: string): RegistryEntry | undefined {
  const exact = entries.filter(({ prefix }) => prefix === host).at(-1);
  if (exact !== undefined) return exact;
  const wild = entries.filter(({ prefix }) => prefix.startsWith('*.') && host.endsWith(prefix.slice(1)));
  const longest = Math.max(...wild.map(({ prefix }) => prefix.length));
  return wild.filter(({ prefix }) => prefix.length === longest).at(-1);
}

/** The entries for a part of a registry (`docker.io/library`), which its images follow instead of the registry's own. */
export function narrowerThan(entries: readonly RegistryEntry[], host: string): readonly RegistryEntry[] {
  return entries.filter(
    ({ prefix }) => prefix.startsWith(`${host}/`) || prefix.startsWith(`${host}:`) || prefix.startsWith(`${host}@`),
  );
}
