import { join } from 'node:path';
import { PATHS } from '@cdk8s-dragonfly/contract';
import { resolveBelow } from '../files/host-path';
import { RecordStore } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import { processesOf } from '../process';
import { Refusal } from '../refusal';
import { ANY_REGISTRY, type Registry } from '../registry';
import type { Former, Installation, Runtime, Target } from '../runtime';
import { ConfigTarget, unusedList } from './config-target';
import type { Containerd } from './containerd';
import { type ConfigFile, type EffectiveConfig, effectiveConfig, isSince } from './effective-config';
import { criOf, findContainerd, type ContainerdHints, type FoundContainerd } from './find-containerd';
import { defaultHosts, folderNames, HostsFolder, recordedIn } from './hosts-folder';
import { type HostsSettings, HostsTarget } from './hosts-target';

/** Where containerd's files are, and what is wanted of them. Paths are those of the node, below `hostRoot`. */
export interface ContainerdSettings extends ContainerdHints {
  /** The folder for hosts.toml files where its configuration names none. */
  readonly hosts: string;
  readonly mirror: string;
  readonly registries: readonly Registry[];
  readonly restart: boolean;
  /** Whether it was not named but looked for: then a containerd that serves dockerd alone is passed over. */
  readonly auto: boolean;
}

/** The mirror is on this node: a connection that takes longer than this will not come. */
const DIAL_TIMEOUT = '200ms';

/** It is known in hosts.toml from this version on. */
const DIAL_TIMEOUT_SINCE = [2, 1] as const;

class ContainerdInstallation implements Installation {
  readonly version?: string;
  readonly absent?: string;
  readonly notes: string[] = [];
  private readonly containerd: Containerd | undefined;
  private readonly runtimeTitle: string;

  constructor(
    private readonly settings: ContainerdSettings,
    private readonly file: ConfigFile,
    found: FoundContainerd,
  ) {
    const { containerd, absent } = found;
    this.containerd = containerd;
    if (containerd !== undefined) this.version = containerd.version;
    if (absent !== undefined) this.absent = absent;
    this.runtimeTitle =
      containerd === undefined ? 'containerd' : `containerd ${containerd.version} (process ${containerd.pid})`;
  }

  async isConfigured(): Promise<boolean> {
    const { containerd, file } = this;
    if (containerd !== undefined) return false;
    const { bytes } = await takeSnapshot(file.path);
    return bytes !== undefined && !criOf(file.title, bytes).criOff;
  }

  async wanted(former: Former): Promise<readonly Target[]> {
    const { containerd, file, settings } = this;
    if (containerd !== undefined && !(await containerd.reads(file.path))) {
      throw new Refusal(
        `containerd (process ${containerd.pid}) does not read ${file.title} below ${settings.hostRoot}: name its file with --containerd-config, and the root of its file system with --host-root; nothing was changed`,
      );
    }
    if (containerd !== undefined && !(await containerd.hasCri())) {
      throw new Refusal(
        `the CRI of containerd (process ${containerd.pid}) does not answer, as when ${file.title} has config_path together with registry.mirrors: look into its log and correct that first; nothing was changed`,
      );
    }
    const config = await this.config();
    const { folders, said } = config;
    if (config.unused && config.file !== file.title) {
      throw new Refusal(
        `${config.file} has config_path = "${said}", ${unusedList(this.version)}: name one folder there and restart containerd; nothing was changed`,
      );
    }
    const [first = settings.hosts] = folders;
    // What it says is looked after where it has to be set, or was set once and is still what counts.
    const sets = folders.length === 0 || config.unused;
    const own = sets || (config.file === file.title && (await this.hasConfigRecord()));
    const used = await this.foldersOf(sets ? [first] : folders);
    return [...(own ? [this.configTarget(sets ? first : said)] : []), ...(await this.hostsTargets(used, former))];
  }

  async recorded(): Promise<readonly Target[]> {
    const folders = [...(await this.foldersIfKnown()), await this.folder(this.settings.hosts)];
    const targets: Target[] = (await this.hasConfigRecord()) ? [this.configTarget(this.settings.hosts)] : [];
    for (const folder of new Map(folders.map((one) => [one.path, one])).values()) {
      const wanted = this.settings.registries.flatMap(({ host }) => folderNames(host));
      const names = new Set([...(await recordedIn(folder)), ...wanted]);
      for (const name of names) targets.push(await HostsTarget.of(this.hostsSettings(folder), name));
    }
    return targets;
  }

  /** @param folder what `config_path` is to be */
  private configTarget(folder: string): ConfigTarget {
    const { file, settings, runtimeTitle, containerd } = this;
    const common = { ...file, folder, restart: settings.restart, runtimeTitle };
    return new ConfigTarget(containerd === undefined ? common : { ...common, containerd });
  }

  private async hasConfigRecord(): Promise<boolean> {
    return (await takeSnapshot(new RecordStore(this.file.path).statePath)).bytes !== undefined;
  }

  private async folder(title: string): Promise<HostsFolder> {
    return await HostsFolder.below(this.settings.hostRoot, title);
  }

  private hostsSettings(folder: HostsFolder): HostsSettings {
    const { runtimeTitle, version = '', settings } = this;
    const dial = isSince(version, ...DIAL_TIMEOUT_SINCE) ? { dialTimeout: DIAL_TIMEOUT } : {};
    return { folder, mirror: settings.mirror, runtimeTitle, ...dial };
  }

  private async hostsTargets(folders: readonly HostsFolder[], former: Former): Promise<readonly Target[]> {
    const targets: Target[] = [];
    const taken: string[] = [];
    for (const registry of this.settings.registries) {
      const [folder, name] = await this.placeOf(folders, registry.host, former);
      taken.push(join(folder.path, name));
      targets.push(await HostsTarget.of({ ...this.hostsSettings(folder), former }, name, registry));
    }
    for (const folder of folders) {
      const others = (await recordedIn(folder)).filter((name) => !taken.includes(join(folder.path, name)));
      for (const name of former === 'stays' ? [] : others) {
        targets.push(await HostsTarget.of(this.hostsSettings(folder), name));
      }
      await this.noteOwnFolders(folder, taken);
    }
    return targets;
  }

  /**
   * The folder of a registry that containerd would find, else the one that it would find if it were there. Where an earlier
   * `apply` for every registry may stay, its folder is enough.
   */
  private async placeOf(
    folders: readonly HostsFolder[],
    host: string,
    former: Former,
  ): Promise<readonly [HostsFolder, string]> {
    for (const folder of folders) {
      for (const name of folderNames(host)) {
        if ((await folder.namesOf(name)) !== undefined) return [folder, name];
      }
      if ((await folder.namesOf(ANY_REGISTRY)) === undefined) continue;
      // containerd looks into no further folder.
      const [first] = former === 'stays' ? await defaultHosts(folder) : [];
      return [folder, first !== undefined && sameMirror(first, this.settings.mirror) ? ANY_REGISTRY : host];
    }
    return [folders[0] ?? (await this.folder(this.settings.hosts)), host];
  }

  private async noteOwnFolders(folder: HostsFolder, taken: readonly string[]): Promise<void> {
    if (!taken.includes(join(folder.path, ANY_REGISTRY))) return;
    const names = (await folder.namesOf('')) ?? [];
    const others: string[] = [];
    for (const name of names) {
      const isTaken = taken.includes(join(folder.path, name));
      if (!isTaken && (await folder.namesOf(name)) !== undefined) others.push(name);
    }
    if (others.length > 0) {
      this.notes.push(
        `${ANY_REGISTRY} does not reach ${others.join(', ')}, which have folders of their own in ${folder.title}`,
      );
    }
  }

  /** The same for `restore`, which also works beside a configuration that others have broken since. */
  private async foldersIfKnown(): Promise<readonly HostsFolder[]> {
    try {
      return await this.foldersOf((await this.config()).folders);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.notes.push(`only ${this.settings.hosts} was looked into, since ${error.message}`);
      return [];
    }
  }

  private async config(): Promise<EffectiveConfig> {
    return await effectiveConfig(this.settings.hostRoot, this.file, this.version ?? '');
  }

  private async foldersOf(titles: readonly string[]): Promise<readonly HostsFolder[]> {
    return await Promise.all(titles.map(async (title) => await this.folder(title)));
  }
}

/** containerd: a hosts.toml a registry, read at every pull; `config_path` in config.toml, where it is missing, at a restart. */
export class ContainerdRuntime implements Runtime {
  readonly name = 'containerd' as const;

  /** @param findEngine finds the engine; another one than {@link findContainerd} in tests */
  constructor(
    private readonly settings: ContainerdSettings,
    private readonly findEngine: (hints: ContainerdHints) => Promise<FoundContainerd> = findContainerd,
  ) {}

  async find(): Promise<Installation> {
    const { hostRoot } = this.settings;
    const found = await this.findEngine(this.settings);
    const title = found.config === '' ? PATHS.containerdConfig : found.config;
    const config = { title, path: await resolveBelow(hostRoot, title) };
    return new ContainerdInstallation(this.settings, config, await this.passOver(found));
  }

  /** A containerd beside a dockerd that runs no pods serves dockerd alone. */
  private async passOver(found: FoundContainerd): Promise<FoundContainerd> {
    const { containerd } = found;
    if (containerd === undefined || !this.settings.auto) return found;
    if ((await processesOf(this.settings.proc ?? '/proc', 'dockerd')).length === 0) return found;
    if (!(await containerd.hasCri()) || (await containerd.hasPods())) return found;
    const absent = `containerd (process ${containerd.pid}) runs no pods and serves dockerd: name it with --runtime containerd to have it changed all the same; nothing was changed`;
    return { ...found, absent };
  }
}
