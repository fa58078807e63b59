import { readdir } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { PATHS } from '@cdk8s-dragonfly/contract';
import { hasCode } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { RecordStore } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import { processesOf } from '../process';
import { Refusal } from '../refusal';
import { ANY_REGISTRY, type Registry } from '../registry';
import type { Former, Installation, Runtime, Target } from '../runtime';
import { decodeToml } from '../toml/toml-text';
import { readCriRegistry, touchesCri } from './config-edits';
import { ConfigTarget } from './config-target';
import type { Containerd } from './containerd';
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

/** `dial_timeout` in hosts.toml is known from 2.1 on. */
function knowsDialTimeout(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 1);
}

class ContainerdInstallation implements Installation {
  readonly version?: string;
  readonly absent?: string;
  readonly notes: string[] = [];
  private readonly containerd: Containerd | undefined;
  private readonly runtimeTitle: string;

  constructor(
    private readonly settings: ContainerdSettings,
    private readonly config: { readonly title: string; readonly path: string },
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
    const { containerd, config } = this;
    if (containerd !== undefined) return false;
    const { bytes } = await takeSnapshot(config.path);
    return bytes !== undefined && !criOf(config.title, bytes).criOff;
  }

  async wanted(former: Former): Promise<readonly Target[]> {
    const { containerd, config, settings } = this;
    if (containerd !== undefined && !(await containerd.reads(config.path))) {
      throw new Refusal(
        `containerd (process ${containerd.pid}) does not read ${config.title} below ${settings.hostRoot}: name its file with --containerd-config, and the root of its file system with --host-root; nothing was changed`,
      );
    }
    if (containerd !== undefined && !(await containerd.hasCri())) {
      throw new Refusal(
        `the CRI of containerd (process ${containerd.pid}) does not answer, as when ${config.title} has config_path together with registry.mirrors: look into its log and correct that first; nothing was changed`,
      );
    }
    const folders = await this.folders();
    const own = folders.length === 0 || (await this.hasConfigRecord());
    const used = folders.length === 0 ? [await this.folder(settings.hosts)] : folders;
    return [...(own ? [this.configTarget()] : []), ...(await this.hostsTargets(used, former))];
  }

  async recorded(): Promise<readonly Target[]> {
    const folders = [...(await this.foldersIfKnown()), await this.folder(this.settings.hosts)];
    const targets: Target[] = (await this.hasConfigRecord()) ? [this.configTarget()] : [];
    for (const folder of new Map(folders.map((one) => [one.path, one])).values()) {
      const wanted = this.settings.registries.flatMap(({ host }) => folderNames(host));
      const names = new Set([...(await recordedIn(folder)), ...wanted]);
      for (const name of names) targets.push(await HostsTarget.of(this.hostsSettings(folder), name));
    }
    return targets;
  }

  private configTarget(): ConfigTarget {
    const { config, settings, runtimeTitle, containerd } = this;
    const common = { ...config, folder: settings.hosts, restart: settings.restart, runtimeTitle };
    return new ConfigTarget(containerd === undefined ? common : { ...common, containerd });
  }

  private async hasConfigRecord(): Promise<boolean> {
    return (await takeSnapshot(new RecordStore(this.config.path).statePath)).bytes !== undefined;
  }

  private async folder(title: string): Promise<HostsFolder> {
    return await HostsFolder.below(this.settings.hostRoot, title);
  }

  private hostsSettings(folder: HostsFolder): HostsSettings {
    const { runtimeTitle, version = '', settings } = this;
    const dial = knowsDialTimeout(version) ? { dialTimeout: DIAL_TIMEOUT } : {};
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
      return await this.folders();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.notes.push(`only ${this.settings.hosts} was looked into, since ${error.message}`);
      return [];
    }
  }

  /** The folders that its configuration names; none when it names none. */
  private async folders(): Promise<readonly HostsFolder[]> {
    const { config, containerd } = this;
    const { bytes } = await takeSnapshot(config.path);
    const { imports, configPath } = readCriRegistry(config.title, decodeToml(config.title, bytes));
    const major = Number(containerd?.version.split('.')[0] ?? '1');
    let effective = configPath;
    for (const { file, text } of await this.imported(config.title, imports)) {
      if (!touchesCri(file, text)) continue;
      if (major < 2) {
        throw new Refusal(
          `${file}, imported by ${config.title}, has settings of the CRI plugin and replaces all that ${config.title} says of it: move them into ${config.title} and run again; nothing was changed`,
        );
      }
      const { configPath: theirs } = readCriRegistry(file, text);
      if (theirs !== '') effective = theirs;
    }
    const paths = effective.split(':').filter((path) => path !== '');
    const [, minor = 0] = (containerd?.version ?? '').split('.').map(Number);
    if (paths.length > 1 && major === 2 && minor < 2) {
      throw new Refusal(
        `config_path = "${effective}" is a list, of which containerd ${this.version ?? ''} uses no part: name one folder and restart containerd; nothing was changed`,
      );
    }
    return await Promise.all(paths.map(async (path) => await this.folder(path)));
  }

  /** The files that a file imports, and those that they import, each once, in the order in which containerd merges them. */
  private async imported(
    title: string,
    imports: readonly string[],
  ): Promise<readonly { readonly file: string; readonly text: string }[]> {
    const waiting = [...(await this.matches(title, imports))];
    const found = new Map([[title, '']]);
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      if (found.has(file)) continue;
      const text = decodeToml(file, (await takeSnapshot(await resolveBelow(this.settings.hostRoot, file))).bytes);
      found.set(file, text);
      waiting.push(...(await this.matches(file, readCriRegistry(file, text).imports)));
    }
    return [...found].slice(1).map(([file, text]) => ({ file, text }));
  }

  /** The files that match what `imports` of a file says; only the last part of a path may have wildcards. */
  private async matches(title: string, patterns: readonly string[]): Promise<readonly string[]> {
    const files: string[] = [];
    for (const pattern of patterns) {
      const path = isAbsolute(pattern) ? pattern : join(dirname(title), pattern);
      const literal = basename(path).replace(/[.+^${}()|[\]\\]/g, '\\$&');
      const match = new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      const folder = await resolveBelow(this.settings.hostRoot, dirname(path));
      try {
        const names = (await readdir(folder)).sort().filter((name) => match.test(name));
        files.push(...names.map((name) => join(dirname(path), name)));
      } catch (error) {
        if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
      }
    }
    return files;
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
