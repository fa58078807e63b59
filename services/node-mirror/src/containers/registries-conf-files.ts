import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasCode, readRefusal } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { STATE_SUFFIX } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { decodeToml } from '../toml/toml-text';
import { entriesOf, type RegistryEntry } from './registries-conf';

/** The main file and the folder of its drop-ins, as they are read on a node. */
export class RegistriesConfFiles {
  private constructor(
    private readonly hostRoot: string,
    /** The main file as the node knows it. */
    private readonly main: string,
    /** The folder of the drop-ins, resolved. */
    readonly folder: string,
  ) {}

  static async below(hostRoot: string, main: string): Promise<RegistriesConfFiles> {
    return new RegistriesConfFiles(hostRoot, main, await resolveBelow(hostRoot, `${main}.d`));
  }

  /** A drop-in as the node knows it. */
  titleOf(name: string): string {
    return join(`${this.main}.d`, name);
  }

  /** The names in the folder, in the order in which they are read. */
  async names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.folder)).sort();
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
      throw readRefusal(this.folder, error);
    }
  }

  /** The drop-ins that have a record of ours, by name. */
  async recorded(): Promise<readonly string[]> {
    return (await this.names())
      .filter((name) => name.endsWith(STATE_SUFFIX))
      .map((name) => name.slice(0, -STATE_SUFFIX.length));
  }

  /**
   * What all files but one say, in the order in which they are read.
   *
   * @throws Refusal when one of them is not valid
   */
  async entriesWithout(own: string): Promise<readonly RegistryEntry[]> {
    const drops = (await this.names()).filter((name) => name.endsWith('.conf') && name !== own);
    const files = [this.main, ...drops.map((name) => this.titleOf(name))];
    const entries: RegistryEntry[] = [];
    for (const file of files) {
      const { bytes } = await takeSnapshot(await resolveBelow(this.hostRoot, file));
      entries.push(...entriesOf(file, decodeToml(file, bytes)));
    }
    return entries;
  }

  /** The first entry for a prefix in a file that is read after this drop-in, and so would replace it. */
  laterThan(own: string, entries: readonly RegistryEntry[], prefix: string): RegistryEntry | undefined {
    const isLater = ({ file }: RegistryEntry): boolean => file !== this.main && basename(file) > own;
    return entries.find((entry) => entry.prefix === prefix && isLater(entry));
  }
}
