import { resolveBelow } from '../files/host-path';
import type { EditRecord } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import type { Installation, Plan, Runtime, Target, Verdict } from '../runtime';
import { Refusal } from '../refusal';
import { sameMirrors } from '../mirror-url';
import { planDockerApply } from './apply-plan';
import type { DockerFacts } from './docker-facts';
import { type Dockerd, findDockerd } from './dockerd';
import { planDockerRestore } from './restore-plan';
import { stepsTo } from './steps';

/** Where docker's files are on the node, and the mirror to add. Paths are those of the node, below `hostRoot`. */
export interface DockerSettings {
  readonly hostRoot: string;
  readonly config: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly mirror: string;
  /** The registries to mirror; of them docker.io is dockerd's. */
  readonly registries: readonly string[];
}

class DaemonJsonTarget implements Target {
  readonly title: string;
  readonly anchor: string;
  readonly runtimeTitle: string;
  readonly reloadTitle: string;

  constructor(
    private readonly settings: DockerSettings,
    readonly path: string,
    private readonly dockerd: Dockerd | undefined,
  ) {
    this.title = settings.config;
    this.anchor = path;
    this.runtimeTitle = titleOf(dockerd);
    this.reloadTitle = dockerd === undefined ? 'nothing' : `SIGHUP to process ${dockerd.pid}`;
  }

  async planApply(record: EditRecord | undefined, backup: Buffer | undefined): Promise<Plan> {
    return planDockerApply(await this.facts(), record, backup);
  }

  async planRestore(record: EditRecord, backup: Buffer | undefined): Promise<Plan> {
    return planDockerRestore(await this.facts(), record, backup);
  }

  async planRollback(content: Buffer | undefined): Promise<Plan> {
    const facts = await this.facts();
    const steps = stepsTo(facts, content, [facts.mirror]);
    return { current: facts.current, steps, summary: 'put back as it was' };
  }

  async inspect(candidate: string): Promise<void> {
    await this.dockerd?.inspect(candidate);
  }

  async reload(): Promise<void> {
    await this.dockerd?.reload();
  }

  async verify(mirrors: readonly string[]): Promise<Verdict> {
    const shown = (await this.dockerd?.mirrors()) ?? [];
    return { taken: sameMirrors(shown, mirrors), shown: JSON.stringify(shown) };
  }

  private async facts(): Promise<DockerFacts> {
    const { dockerd, path, settings } = this;
    const common = { title: settings.config, mirror: settings.mirror, current: await takeSnapshot(path) };
    const told = dockerd?.flagMirrors.length === 0 && (await dockerd.reads(path));
    return dockerd !== undefined && told ? { ...common, dockerd: { inForce: await dockerd.mirrors() } } : common;
  }
}

function titleOf(dockerd: Dockerd | undefined): string {
  return dockerd === undefined ? 'dockerd' : `dockerd ${dockerd.version} (process ${dockerd.pid})`;
}

class DockerInstallation implements Installation {
  readonly version?: string;
  readonly absent?: string;

  constructor(
    private readonly settings: DockerSettings,
    private readonly path: string,
    private readonly dockerd: Dockerd | undefined,
  ) {
    if (dockerd !== undefined) this.version = dockerd.version;
    else {
      this.absent = `no dockerd runs here: there is neither its pid file ${settings.pidFile} nor anybody on ${settings.socket}; nothing was changed`;
    }
    if (dockerd !== undefined && !settings.registries.includes('docker.io')) {
      this.absent =
        'docker.io is not among the registries (--registry), and dockerd asks mirrors for no other; nothing was changed';
    }
  }

  async wanted(): Promise<readonly Target[]> {
    const { dockerd, settings } = this;
    if (dockerd !== undefined && dockerd.flagMirrors.length > 0) {
      throw new Refusal(
        `dockerd (process ${dockerd.pid}) was started with --registry-mirror ${dockerd.flagMirrors.join(', ')} and would not start again with the key in its file as well: move the flag's value into ${settings.config} first; nothing was changed`,
      );
    }
    if (dockerd !== undefined && !(await dockerd.reads(this.path))) {
      throw new Refusal(
        `dockerd (process ${dockerd.pid}) does not read ${settings.config}: name the file of its --config-file with --docker-config; nothing was changed`,
      );
    }
    return await this.recorded();
  }

  async recorded(): Promise<readonly Target[]> {
    return await Promise.resolve([new DaemonJsonTarget(this.settings, this.path, this.dockerd)]);
  }
}

/** docker: the mirror is the first of `registry-mirrors` in daemon.json, read again at a SIGHUP. */
export class DockerRuntime implements Runtime {
  readonly name = 'docker' as const;

  /** @param findEngine finds the engine; another one than {@link findDockerd} in tests */
  constructor(
    private readonly settings: DockerSettings,
    private readonly findEngine: typeof findDockerd = findDockerd,
  ) {}

  async find(): Promise<Installation> {
    const { hostRoot, config, socket, pidFile } = this.settings;
    const dockerd = await this.findEngine({
      hostRoot,
      socket: await resolveBelow(hostRoot, socket),
      pidFile: await resolveBelow(hostRoot, pidFile),
    });
    return new DockerInstallation(this.settings, await resolveBelow(hostRoot, config), dockerd);
  }
}
