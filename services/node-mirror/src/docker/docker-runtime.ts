import { resolveBelow } from '../files/host-path';
import { takeSnapshot } from '../files/snapshot';
import { sameMirror } from '../mirror-url';
import { Refusal } from '../refusal';
import type { Former, Installation, Runtime, Target } from '../runtime';
import { DaemonJsonTarget } from './daemon-json-target';
import type { DockerWish } from './docker-state';
import { type DockerHints, type DockerPlaces, dockerPlaces } from './docker-places';
import { type Dockerd, findDockerd } from './dockerd';
import { proxyTitle } from './proxy-edits';

/** What is known of docker on the node, and what is wanted of it. Paths are those of the node, below `hostRoot`. */
export interface DockerSettings extends DockerWish, DockerHints {
  /** The registries to mirror; of them docker.io is dockerd's. */
  readonly registries: readonly string[];
  /** Whether dockerd may be restarted for what it reads at its start only. */
  readonly restart: boolean;
}

/** The first version of dockerd that knows `proxies`. */
const PROXIES_SINCE = 23;

class DockerInstallation implements Installation {
  readonly version?: string;
  readonly absent?: string;

  constructor(
    private readonly settings: DockerSettings & DockerPlaces,
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

  async isConfigured(): Promise<boolean> {
    return this.dockerd === undefined && (await takeSnapshot(this.path)).bytes !== undefined;
  }

  async wanted(former: Former): Promise<readonly Target[]> {
    const { dockerd, settings } = this;
    if (dockerd !== undefined) {
      this.checkFlags(dockerd);
      if (!(await dockerd.reads(this.path))) {
        throw new Refusal(
          `dockerd (process ${dockerd.pid}) does not read ${settings.config}: name the file of its --config-file with --docker-config; nothing was changed`,
        );
      }
      if (settings.proxy !== undefined) await this.checkProxy(dockerd, settings.proxy);
    }
    return [this.target(former)];
  }

  async recorded(): Promise<readonly Target[]> {
    return await Promise.resolve([this.target('goes')]);
  }

  private target(former: Former): DaemonJsonTarget {
    const { dockerd, path, settings } = this;
    const { config: title, restart, mirror, insecure, proxy } = settings;
    const wish = { mirror, insecure, ...(proxy === undefined ? {} : { proxy }) };
    const common = { title, path, wish, restart, former };
    return new DaemonJsonTarget(dockerd === undefined ? common : { ...common, dockerd });
  }

  /** @throws Refusal for what stands on the command line already: dockerd does not start with both */
  private checkFlags(dockerd: Dockerd): void {
    const { insecure, proxy, config } = this.settings;
    const flags = [
      '--registry-mirror',
      ...(insecure.length > 0 ? ['--insecure-registry'] : []),
      ...(proxy === undefined ? [] : ['--http-proxy', '--https-proxy']),
    ];
    for (const flag of flags) {
      const values = dockerd.valuesOf(flag);
      if (values.length === 0) continue;
      const shown = flag.endsWith('-proxy') ? values.map(proxyTitle) : values;
      throw new Refusal(
        `dockerd (process ${dockerd.pid}) was started with ${flag} ${shown.join(', ')} and would not start again with the key in its file as well: move the flag's value into ${config} first; nothing was changed`,
      );
    }
  }

  /** @throws Refusal where `proxies` are not known, or would take another proxy away */
  private async checkProxy(dockerd: Dockerd, proxy: string): Promise<void> {
    const { pid, version } = dockerd;
    if (Number(/^\d+/.exec(version)?.[0] ?? '0') < PROXIES_SINCE) {
      throw new Refusal(
        `dockerd ${version} (process ${pid}) does not know proxies in its file and would not start with them: --docker-proxy needs dockerd ${PROXIES_SINCE} or later; nothing was changed`,
      );
    }
    const other = (await dockerd.environmentProxies()).find((one) => !sameMirror(one, proxy));
    if (other === undefined) return;
    throw new Refusal(
      `dockerd (process ${pid}) has the proxy ${proxyTitle(other)} in its environment, and pulls would no longer go through it: give that proxy to the df-daemon (HTTPS_PROXY) and take it out of dockerd's service; nothing was changed`,
    );
  }
}

/** docker: the mirror is the first of `registry-mirrors` in daemon.json, read again at a SIGHUP. */
export class DockerRuntime implements Runtime {
  readonly name = 'docker' as const;
  private places: DockerPlaces | undefined;

  /** @param findEngine finds the engine; another one than {@link findDockerd} in tests */
  constructor(
    private readonly settings: DockerSettings,
    private readonly findEngine: typeof findDockerd = findDockerd,
  ) {}

  async find(): Promise<Installation> {
    const { hostRoot } = this.settings;
    const places = await dockerPlaces(this.settings, this.places);
    this.places = places;
    const dockerd = await this.findEngine({
      hostRoot,
      socket: await resolveBelow(hostRoot, places.socket),
      pidFile: await resolveBelow(hostRoot, places.pidFile),
    });
    return new DockerInstallation(
      { ...this.settings, ...places },
      await resolveBelow(hostRoot, places.config),
      dockerd,
    );
  }
}
