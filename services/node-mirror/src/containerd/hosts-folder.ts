import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, readRefusal } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { STATE_SUFFIX } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { decodeToml } from '../toml/toml-text';
import { hostsIn } from './hosts-edits';

/** The name of the file in a registry's folder. */
export const HOSTS_TOML = 'hosts.toml';

/** A folder of hosts.toml files, one folder a registry in it. */
export class HostsFolder {
  private constructor(
    private readonly hostRoot: string,
    /** As the node knows it. */
    readonly title: string,
    /** Resolved. */
    readonly path: string,
  ) {}

  static async below(hostRoot: string, title: string): Promise<HostsFolder> {
    return new HostsFolder(hostRoot, title, await resolveBelow(hostRoot, title));
  }

  /** What is in the folder of a registry, by its name, which may be a link; `undefined` when there is none. */
  async namesOf(name: string): Promise<readonly string[] | undefined> {
    return await namesIn(await resolveBelow(this.hostRoot, join(this.title, name)));
  }

  /** The hosts.toml in the folder of that name, every link on the way followed. */
  async fileOf(name: string): Promise<string> {
    return await resolveBelow(this.hostRoot, join(this.title, name, HOSTS_TOML));
  }
}

/** What is in a folder; `undefined` when there is none. */
async function namesIn(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw readRefusal(folder, error);
  }
}

/** The names that the folder of a registry may have, in the order in which containerd looks for them. */
export function folderNames(host: string): readonly string[] {
  const colon = host.lastIndexOf(':');
  return colon < 0 ? [host] : [`${host.slice(0, colon)}_${host.slice(colon + 1)}_`, host];
}

/** The registries whose folders have a record of ours. */
export async function recordedIn(folder: HostsFolder): Promise<readonly string[]> {
  const names = (await folder.namesOf('')) ?? [];
  return names.filter((name) => name.endsWith(STATE_SUFFIX)).map((name) => name.slice(0, -STATE_SUFFIX.length));
}

/** The hosts that the `_default` of a folder names. */
export async function defaultHosts(folder: HostsFolder): Promise<readonly string[]> {
  const title = join(folder.title, '_default', HOSTS_TOML);
  const { bytes } = await takeSnapshot(await folder.fileOf('_default'));
  return bytes === undefined ? [] : hostsIn(title, decodeToml(title, bytes));
}
