import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { hasCode } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { takeSnapshot } from '../files/snapshot';
import { Refusal } from '../refusal';
import { decodeToml } from '../toml/toml-text';
import { type LocalPull, readCriRegistry, touchesCri } from './config-edits';

/** A configuration file as the node knows it, and resolved. */
export interface ConfigFile {
  readonly title: string;
  readonly path: string;
}

/** What a config.toml and the files that it imports come to. */
export interface EffectiveConfig {
  /** The folders that `config_path` names; none when it is not set. */
  readonly folders: readonly string[];
  /** `config_path` as it is written, or by default, and the file that says it. */
  readonly said: string;
  readonly file: string;
  /** Whether it is a list of which containerd uses no part. */
  readonly unused: boolean;
}

/** What containerd takes `config_path` for from this version on where no file names it, or mirrors in the older form. */
const DEFAULT = '/etc/containerd/certs.d:/etc/docker/certs.d';
const DEFAULT_SINCE = [2, 2] as const;

/** Whether a version, such as `2.1.5`, is this one or a later one; one that is not known is none. */
export function isSince(version: string, major: number, minor: number): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split('.').map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

/**
 * What a configuration says of the folders with hosts.toml files.
 *
 * @param version of the containerd that reads it; `''`: not known
 * @throws Refusal when a file is not valid, or an imported one replaces what the first says of the CRI plugin
 */
export async function effectiveConfig(hostRoot: string, config: ConfigFile, version: string): Promise<EffectiveConfig> {
  const { title, path } = config;
  const own = readCriRegistry(title, decodeToml(title, (await takeSnapshot(path)).bytes));
  let [said, file] = [own.configPath, title];
  let pull: LocalPull = own.localPull;
  let { hasMirrors } = own;
  for (const other of await imported(hostRoot, title, own.imports)) {
    if (!touchesCri(other.file, other.text)) continue;
    if (!isSince(version, 2, 0)) {
      throw new Refusal(
        `${other.file}, imported by ${title}, has settings of the CRI plugin and replaces all that ${title} says of it: move them into ${title} and run again; nothing was changed`,
      );
    }
    const { configPath, localPull, hasMirrors: more } = readCriRegistry(other.file, other.text);
    pull = { ...pull, ...localPull };
    hasMirrors ||= more;
    if (configPath !== undefined && configPath !== '') [said, file] = [configPath, other.file];
  }
  const pullsItself = Object.values(pull).includes(true);
  // Of a list by default its transfer service uses no part either: then it is as good as none.
  if (said === undefined && isSince(version, ...DEFAULT_SINCE) && pullsItself && !hasMirrors) said = DEFAULT;
  const folders = (said ?? '').split(':').filter((folder) => folder !== '');
  // From 2.1 on its transfer service pulls, which takes the list as the name of one folder.
  const unused = folders.length > 1 && isSince(version, 2, 1) && !pullsItself;
  return { folders, said: said ?? '', file, unused };
}

/** The files that a file imports, and those that they import, each once, in the order in which containerd merges them. */
async function imported(
  hostRoot: string,
  title: string,
  imports: readonly string[],
): Promise<readonly { readonly file: string; readonly text: string }[]> {
  const waiting = [...(await matches(hostRoot, title, imports))];
  const found = new Map([[title, '']]);
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (found.has(file)) continue;
    const text = decodeToml(file, (await takeSnapshot(await resolveBelow(hostRoot, file))).bytes);
    found.set(file, text);
    waiting.push(...(await matches(hostRoot, file, readCriRegistry(file, text).imports)));
  }
  return [...found].slice(1).map(([file, text]) => ({ file, text }));
}

/** The files that match what `imports` of a file says; only the last part of a path may have wildcards. */
async function matches(hostRoot: string, title: string, patterns: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const pattern of patterns) {
    const path = isAbsolute(pattern) ? pattern : join(dirname(title), pattern);
    const literal = basename(path).replace(/[.+^${}()|[\]\\]/g, '\\$&');
    const match = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
    const folder = await resolveBelow(hostRoot, dirname(path));
    try {
      const names = (await readdir(folder)).sort().filter((name) => match.test(name));
      files.push(...names.map((name) => join(dirname(path), name)));
    } catch (error) {
      if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return files;
}
