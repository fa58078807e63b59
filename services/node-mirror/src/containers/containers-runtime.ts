import { access } from 'node:fs/promises';
import { hasCode } from '../files/errno';
import { resolveBelow } from '../files/host-path';
import { HostCommands } from '../host-commands';
import { ANY_REGISTRY, type Registry } from '../registry';
import type { Former, Installation, Runtime, Target } from '../runtime';
import { type Crio, findCrio } from './crio';
import { dropInName } from './drop-in';
import { DropInTarget, type DropInSettings } from './drop-in-target';
import { narrowerThan } from './registries-conf';
import { RegistriesConfFiles } from './registries-conf-files';

/** Where the files of podman and CRI-O are, and what is wanted of them. Paths are those of the node, below `hostRoot`. */
export interface ContainersSettings {
  readonly hostRoot: string;
  readonly registriesConf: string;
  readonly mirror: string;
  readonly registries: readonly Registry[];
}

/** Where CRI-O has its API. */
const CRIO_SOCKET = '/var/run/crio/crio.sock';
/** And where its configuration is. */
const CRIO_CONFIG = '/etc/crio';
const PODMAN = ['/usr/bin/podman', '/usr/local/bin/podman'];
const VERSION_MS = 10_000;

class ContainersInstallation implements Installation {
  readonly absent?: string;
  readonly version?: string;
  readonly notes: string[] = [];

  constructor(
    private readonly settings: ContainersSettings,
    private readonly dropIns: DropInSettings,
    private readonly found: { readonly absent?: string; readonly version?: string; readonly configured?: boolean },
  ) {
    if (found.absent !== undefined) this.absent = found.absent;
    if (found.version !== undefined && found.version !== '') this.version = found.version;
    const named = settings.registries.filter(({ host }) => host !== ANY_REGISTRY);
    if (named.length === 0) {
      this.absent = `no registry is named (--registry), and its configuration knows none that stands for all; nothing was changed`;
    }
  }

  isConfigured(): Promise<boolean> {
    return Promise.resolve(this.found.configured === true);
  }

  async wanted(former: Former): Promise<readonly Target[]> {
    const hosts = this.settings.registries.map(({ host }) => host).filter((host) => host !== ANY_REGISTRY);
    const names = hosts.map(dropInName);
    const others = (await this.dropIns.files.recorded()).filter((name) => !names.includes(name));
    await this.noteNarrower(hosts);
    return [
      ...hosts.map((host) => new DropInTarget(this.dropIns, dropInName(host), host)),
      ...(former === 'stays' ? [] : others).map((name) => new DropInTarget(this.dropIns, name)),
    ];
  }

  async recorded(): Promise<readonly Target[]> {
    const { files } = this.dropIns;
    const wanted = this.settings.registries.map(({ host }) => dropInName(host));
    return [...new Set([...(await files.recorded()), ...wanted])].map((name) => new DropInTarget(this.dropIns, name));
  }

  /** Parts of a registry with an entry of their own do not come through the mirror. */
  private async noteNarrower(hosts: readonly string[]): Promise<void> {
    const entries = await this.dropIns.files.entriesWithout('');
    for (const { prefix, file } of hosts.flatMap((host) => narrowerThan(entries, host))) {
      this.notes.push(`${prefix} has an entry of its own in ${file} and does not come through the mirror`);
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/** CRI-O: a drop-in a registry in registries.conf.d, read again at a SIGHUP. */
export class CrioRuntime implements Runtime {
  readonly name = 'crio' as const;

  /** @param findEngine finds the engine; another one than {@link findCrio} in tests */
  constructor(
    private readonly settings: ContainersSettings,
    private readonly findEngine: (socket: string) => Promise<Crio | undefined> = findCrio,
  ) {}

  async find(): Promise<Installation> {
    const { hostRoot, registriesConf, mirror } = this.settings;
    const crio = await this.findEngine(await resolveBelow(hostRoot, CRIO_SOCKET));
    const files = await RegistriesConfFiles.below(hostRoot, registriesConf);
    if (crio === undefined) {
      const absent = 'no CRI-O runs here: there is no process crio; nothing was changed';
      const configured = await isThere(await resolveBelow(hostRoot, CRIO_CONFIG));
      return new ContainersInstallation(
        this.settings,
        { files, mirror, runtimeTitle: 'CRI-O' },
        { absent, configured },
      );
    }
    const version = crio.version === undefined || crio.version === '' ? '' : ` ${crio.version}`;
    const runtimeTitle = `CRI-O${version} (process ${crio.pid})`;
    const found = crio.version === undefined ? {} : { version: crio.version };
    return new ContainersInstallation(this.settings, { files, mirror, runtimeTitle, crio }, found);
  }
}

/** podman (and skopeo, buildah): the same drop-ins, read at every command. */
export class PodmanRuntime implements Runtime {
  readonly name = 'podman' as const;

  /** @param commands runs the node's programs; others in tests */
  constructor(
    private readonly settings: ContainersSettings,
    private readonly commands: Pick<HostCommands, 'run'> = new HostCommands(settings.hostRoot),
  ) {}

  async find(): Promise<Installation> {
    const { hostRoot, registriesConf, mirror } = this.settings;
    const files = await RegistriesConfFiles.below(hostRoot, registriesConf);
    const dropIns = { files, mirror, runtimeTitle: 'podman' };
    return new ContainersInstallation(this.settings, dropIns, await this.found());
  }

  /** podman is no daemon: it is there when its program is, and runs. */
  private async found(): Promise<{ readonly absent?: string; readonly version?: string }> {
    const program = await this.program();
    if (program === undefined) {
      return { absent: `podman is not installed here: there is none of ${PODMAN.join(', ')}; nothing was changed` };
    }
    const { ok, said, ran } = await this.commands.run([program, '--version'], VERSION_MS);
    if (ran && !ok) return { absent: `${program} does not run on this node (${said}); nothing was changed` };
    const version = /^podman version (\S+)/.exec(said)?.[1];
    if (!ok) return {};
    return version === undefined
      ? { absent: `${program} is not podman: it says ${said.slice(0, 80)} to --version; nothing was changed` }
      : { version };
  }

  private async program(): Promise<string | undefined> {
    for (const path of PODMAN) if (await isThere(await resolveBelow(this.settings.hostRoot, path))) return path;
    return undefined;
  }
}
