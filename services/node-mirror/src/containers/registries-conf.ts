import { blocksOf } from '../toml/statements';
import { readToml, refusalAt, type TomlText, valueAt } from '../toml/toml-text';

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
/** Of a prefix or a location podman and CRI-O leave slashes at the end out: `docker.io/` is docker.io. */
const place = (value: unknown): string => text(value).replace(/\/+$/, '');

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

/** @throws Refusal for what makes podman and CRI-O refuse every pull of every registry */
function checkLocations(toml: TomlText): void {
  for (const { header, pairs } of blocksOf(toml.statements)) {
    const path = header.path.join('.');
    if (path !== 'registry' && path !== 'registry.mirror') continue;
    const said = (key: string): { readonly text: string; readonly start: number } | undefined => {
      const pair = pairs.find((one) => one.path.length === 1 && one.path[0] === key);
      if (pair?.value === undefined) return undefined;
      const { value } = readToml(toml.title, `x = ${toml.text.slice(pair.value.start, pair.value.end)}`);
      return { text: text(value['x']), start: pair.start };
    };
    const location = said('location');
    const hasNone = location === undefined || location.text === '';
    if (hasNone && !(path === 'registry' && said('prefix')?.text.startsWith('*.') === true)) {
      throw refusalAt(
        toml,
        header.start,
        'an entry without location, with which podman and CRI-O refuse every pull: give it one',
      );
    }
    if (location?.text.includes('://') === true) {
      throw refusalAt(
        toml,
        location.start,
        'a location with a scheme, with which podman and CRI-O refuse every pull: write HOST[:PORT][/PATH] alone',
      );
    }
  }
}

/**
 * The entries of a registries.conf, or of a drop-in, in order.
 *
 * @throws Refusal with line and column when it is not valid: with such a file every pull of every registry fails already
 */
export function entriesOf(file: string, content: string): readonly RegistryEntry[] {
  const toml = readToml(file, content);
  checkLocations(toml);
  const { value } = toml;
  const entries = list(valueAt(value, 'registry')).map((entry): RegistryEntry => {
    const location = place(valueAt(entry, 'location'));
    const prefix = place(valueAt(entry, 'prefix'));
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
