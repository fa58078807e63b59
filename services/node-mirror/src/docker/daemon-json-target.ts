import type { EditRecord } from '../files/record';
import { takeSnapshot } from '../files/snapshot';
import { Refusal } from '../refusal';
import type { Former, Plan, Step, Target, Verdict } from '../runtime';
import { planDockerApply } from './apply-plan';
import { type DockerFacts, oursOf } from './docker-facts';
import { describeState, type DockerState, type DockerWish } from './docker-state';
import type { Dockerd } from './dockerd';
import { planDockerRestore } from './restore-plan';
import { stepsTo } from './steps';

/** What the change of a daemon.json needs. */
export interface DaemonJsonSettings {
  /** The file as the node knows it, and resolved. */
  readonly title: string;
  readonly path: string;
  readonly wish: DockerWish;
  /** Whether dockerd may be restarted for what it reads at its start only. */
  readonly restart: boolean;
  /** What becomes of what an earlier `apply` has put in and this one does not want. */
  readonly former: Former;
  /** Absent: none runs. */
  readonly dockerd?: Dockerd;
}

/** dockerd's daemon.json. */
export class DaemonJsonTarget implements Target {
  readonly title: string;
  readonly path: string;
  readonly anchor: string;
  readonly runtimeTitle: string;
  private record: EditRecord | undefined;

  constructor(private readonly settings: DaemonJsonSettings) {
    const { title, path, dockerd } = settings;
    this.title = title;
    this.path = path;
    this.anchor = path;
    this.runtimeTitle = dockerd === undefined ? 'dockerd' : `dockerd ${dockerd.version} (process ${dockerd.pid})`;
  }

  reloadTitle(step: Step): string {
    const { dockerd } = this.settings;
    if (dockerd === undefined) return 'nothing';
    return step.restart === true
      ? 'systemctl restart (containers go on: live-restore)'
      : `SIGHUP to process ${dockerd.pid}`;
  }

  async planApply(record: EditRecord | undefined, backup: Buffer | undefined): Promise<Plan> {
    this.record = record;
    const plan = planDockerApply(await this.facts(), record, backup, this.settings.former);
    await this.checkRestart(plan);
    return plan;
  }

  async planRestore(record: EditRecord, backup: Buffer | undefined): Promise<Plan> {
    this.record = record;
    const plan = planDockerRestore(await this.facts(), record, backup);
    await this.checkRestart(plan);
    return plan;
  }

  async planRollback(content: Buffer | undefined): Promise<Plan> {
    const facts = await this.facts();
    return { current: facts.current, steps: stepsTo(facts, content), summary: 'put back as it was' };
  }

  async inspect(candidate: string): Promise<void> {
    await this.settings.dockerd?.inspect(candidate);
  }

  async reload(step: Step): Promise<void> {
    if (step.restart === true) await this.settings.dockerd?.restart();
    else await this.settings.dockerd?.reload();
  }

  async verify(wanted: readonly string[]): Promise<Verdict> {
    const info = await this.settings.dockerd?.info();
    const shown = JSON.stringify(
      info === undefined ? [] : describeState(info, oursOf(this.settings.wish, this.record)),
    );
    return { taken: shown === JSON.stringify(wanted), shown };
  }

  private async facts(): Promise<DockerFacts> {
    const { dockerd, path, title, wish } = this.settings;
    const version = dockerd?.version ?? '';
    const common = { title, wish, version, current: await takeSnapshot(path), ours: oursOf(wish, this.record) };
    if (dockerd === undefined || !(await this.isRead(dockerd))) return common;
    const inForce: DockerState = await dockerd.info();
    return { ...common, dockerd: { inForce } };
  }

  private async isRead(dockerd: Dockerd): Promise<boolean> {
    return dockerd.valuesOf('--registry-mirror').length === 0 && (await dockerd.reads(this.path));
  }

  /** @throws Refusal when the plan needs a restart that is not allowed, or would stop containers */
  private async checkRestart({ steps }: Plan): Promise<void> {
    const { dockerd, restart, title } = this.settings;
    if (dockerd === undefined || !steps.some((step) => step.restart === true)) return;
    const what = `dockerd (process ${dockerd.pid}) takes a change of proxies at its start only`;
    const { liveRestore } = await dockerd.info();
    if (!liveRestore) {
      throw new Refusal(
        `${what}, and would stop every container, since live-restore is off: set "live-restore": true in ${title}, reload dockerd (systemctl reload docker), and run again with --restart; nothing was changed`,
      );
    }
    if (restart) {
      await dockerd.prepareRestart();
      return;
    }
    throw new Refusal(
      `${what}: say --restart to have it restarted (containers go on, as live-restore is on); nothing was changed`,
    );
  }
}
