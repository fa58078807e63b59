import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../files/errno';
import { STATE_SUFFIX } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { decodeToml } from '../toml/toml-text';
import { hostsIn } from './hosts-edits';

/** The name of the file in a registry's folder. */
export const HOSTS_TOML = 'hosts.toml';

/** A folder of hosts.toml files, one folder a registry in it. */
export interface HostsFolder {
  /** As the node knows it. */
  readonly title: string;
  /** Resolved. */
  readonly path: string;
}

/** What is in a folder; `undefined` when there is none. */
export async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The names that the folder of a registry may have, in the order in which containerd looks for them. */
export function folderNames(host: string): readonly string[] {
  const colon = host.lastIndexOf(':');
  return colon < 0 ? [host] : [`${host.slice(0, colon)}_${host.slice(colon + 1)}_`, host];
}

/** The registries whose folders have a record of ours. */
export async function recordedIn(folder: HostsFolder): Promise<readonly string[]> {
  const names = (await namesIn(folder.path)) ?? [];
  return names.filter((name) => name.endsWith(STATE_SUFFIX)).map((name) => name.slice(0, -STATE_SUFFIX.length));
}

/** The hosts that the `_default` of a folder names. */
export async function defaultHosts(folder: HostsFolder): Promise<readonly string[]> {
  const title = join(folder.title, '_default', HOSTS_TOML);
  const { bytes } = await takeSnapshot(join(folder.path, '_default', HOSTS_TOML));
  return bytes === undefined ? [] : hostsIn(title, decodeToml(title, bytes));
}
