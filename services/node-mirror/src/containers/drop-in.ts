import { blocksOf } from '../toml/statements';
import { quoted, readToml, valueAt } from '../toml/toml-text';
import type { MirrorEntry, RegistryEntry } from './registries-conf';

/** The ending that makes a file a drop-in; backups and records have another. */
const ENDING = '.conf';

/** The name of the drop-in for a registry: late in the order, since the last entry for a prefix counts alone. */
export function dropInName(host: string): string {
  return `99-dragonfly-${host}${ENDING}`;
}

/** A path as image names may have one: lower case, no port. */
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PART}(?:/${PART})*$`);

/** Whether a location may be in the path of a mirror. With one that may not podman and CRI-O fail every pull of its registry. */
export function isPath(location: string): boolean {
  return PATH.test(location);
}

/** Where podman and CRI-O find the images of a registry at the mirror: `127.0.0.1:65001/docker.io`. */
export function mirrorLocation(mirror: string, location: string): string {
  return `${mirror.replace(/^https?:\/\//i, '')}/${location}`;
}

/** Whether what the administrator's files say of a registry has it asked at the mirror first, for tags and for digests. */
export function asksFirst(theirs: RegistryEntry | undefined, mirror: string, host: string): theirs is RegistryEntry {
  if (theirs === undefined || theirs.blocked || theirs.mirrorByDigestOnly) return false;
  const [first] = theirs.mirrors;
  if (first === undefined || (first.pullFromMirror ?? 'all') !== 'all') return false;
  const isHttp = mirror.toLowerCase().startsWith('http:');
  return first.location === mirrorLocation(mirror, theirs.location ?? host) && (first.insecure || !isHttp);
}

function mirrorLines({ location, insecure, pullFromMirror }: MirrorEntry): readonly string[] {
  return [
    '[[registry.mirror]]',
    `location = ${quoted(location)}`,
    ...(insecure ? ['insecure = true'] : []),
    ...(pullFromMirror === undefined ? [] : [`pull-from-mirror = ${quoted(pullFromMirror)}`]),
  ];
}

/**
 * The whole drop-in for a registry. It repeats what the administrator's files say of it, since it replaces that.
 *
 * @param theirs what they say; absent: nothing
 */
export function dropIn(mirror: string, host: string, theirs: RegistryEntry | undefined): string {
  const location = theirs?.location ?? host;
  const ours: MirrorEntry = {
    location: mirrorLocation(mirror, location),
    insecure: mirror.toLowerCase().startsWith('http:'),
  };
  return [
    '# Written by node-mirror, which removes it with `node-mirror restore`: the df-daemon of this node is asked first.',
    ...(theirs === undefined ? [] : [`# The rest repeats the entry in ${theirs.file}, which this one replaces.`]),
    '[[registry]]',
    `prefix = ${quoted(host)}`,
    `location = ${quoted(location)}`,
    ...(theirs?.insecure === true ? ['insecure = true'] : []),
    ...(theirs?.blocked === true ? ['blocked = true'] : []),
    ...(theirs?.mirrorByDigestOnly === true ? ['mirror-by-digest-only = true'] : []),
    '',
    ...[ours, ...(theirs?.mirrors ?? [])].flatMap(mirrorLines),
    '',
  ].join('\n');
}

/** A drop-in that others have edited, without the mirrors at this address. */
export function withoutMirrors(title: string, content: string, mirrors: readonly string[]): string {
  const toml = readToml(title, content);
  const addresses = mirrors.map((mirror) => mirrorLocation(mirror, ''));
  return [...blocksOf(toml.statements)].reverse().reduce((rest, { header, pairs, end }) => {
    if (header.path.join('.') !== 'registry.mirror') return rest;
    const location = pairs.find(({ path }) => path.length === 1 && path[0] === 'location')?.value;
    if (location === undefined) return rest;
    const said = valueAt(readToml(title, `x = ${content.slice(location.start, location.end)}`).value, 'x');
    if (!addresses.some((address) => String(said).startsWith(address))) return rest;
    const start = content.lastIndexOf('\n', header.start - 1) + 1;
    return rest.slice(0, start) + rest.slice(end);
  }, content);
}
