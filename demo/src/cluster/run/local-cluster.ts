import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Closeable } from '@cdk8s-dragonfly/command';
import type { ClusterPlan } from '../plan/plan-cluster';
import type { ProcessPlan } from '../plan/process-plan';
import { LocalProcess } from './local-process';
import { waitUntilReady } from './readiness';

/** How long a process may take to become ready, in milliseconds: many start at once on few cores. */
const READY_LIMIT = 40_000;

export interface LocalClusterOptions {
  /** The folder of the run. */
  readonly folder: string;
  /** The launcher of a command. */
  readonly scriptOf: (command: string) => string;
}

/** The processes of a plan. */
export class LocalCluster implements Closeable {
  private readonly processes: LocalProcess[] = [];

  constructor(
    private readonly plan: ClusterPlan,
    private readonly options: LocalClusterOptions,
  ) {}

  /**
   * Starts the Deployments, and when they are ready, a process a node; resolves when all are ready.
   *
   * @throws CommandError when one ends or does not become ready; `stop` is needed then, too
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.startAll(this.plan.central, signal);
    await this.startAll(this.plan.perNode, signal);
  }

  /** Rejects when a process ends that should run; never resolves. */
  async watch(): Promise<never> {
    throw await Promise.race(
      this.processes.map(async (process) => {
        await process.ended;
        return process.failure();
      }),
    );
  }

  /** Stops all, the last started first. */
  async stop(): Promise<void> {
    const perNode = this.processes.filter(({ plan }) => this.plan.perNode.includes(plan));
    await Promise.all(perNode.map((process) => process.stop()));
    await Promise.all(this.processes.map((process) => process.stop()));
  }

  /** Ends all at once, without waiting: for an exit that allows no more. */
  kill(): void {
    for (const process of this.processes) process.kill();
  }

  private async startAll(plans: readonly ProcessPlan[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const logs = join(this.options.folder, 'logs');
    mkdirSync(logs, { recursive: true });
    const started = plans.map((plan) =>
      LocalProcess.start(plan, { script: this.options.scriptOf(plan.command), folder: logs }),
    );
    this.processes.push(...started);
    await Promise.all(started.map((process) => waitUntilReady(process, { limitMs: READY_LIMIT, signal })));
  }
}
