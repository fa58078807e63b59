import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { Task } from './task';
import type { TaskState, TaskTools } from './task';
import { TaskSwarm } from './task-swarm';
import type { Messenger } from './task-swarm';

/** A task that nobody has wanted for this long, in ms, is forgotten (Dragonfly 0.x protocol, 6.4). */
export const IDLE_TASK = 180_000;

/** So many tasks are kept in memory. Who registers for more while all of them are under way is refused; what is ordered is fetched all the same. */
const MAX_TASKS = 10_000;

/** What who is refused then is told. */
export const TOO_MUCH =
  'the supernode has more under way than it can take in: fetch it from its origin, or come again later';

/** No more are forgotten at a time once so many members went with them: each takes a microsecond, in which nothing else is done. */
const FORGOTTEN_AT_ONCE = 50_000;

/** So many members leave their swarms at a time because others hold the blob, too: each takes up to 70 microseconds. */
const DISMISSED_AT_ONCE = 1000;

export interface TaskTableOptions {
  /** Is told how long each placement decision took, in ms. */
  readonly placed?: ((ms: number) => void) | undefined;
  /** Is told of each task that begins. */
  readonly made?: ((swarm: TaskSwarm) => void) | undefined;
  /** Whether somebody wants the blob beside the swarm's members. Default: nobody does. */
  readonly usedElsewhere?: ((blob: BlobId) => boolean) | undefined;
  /** Is told of each task that is forgotten: who uses it elsewhere has to let go of it. */
  readonly forgot?: ((blob: BlobId) => void) | undefined;
  /** How many tasks are kept. Default {@link MAX_TASKS}. */
  readonly limit?: number | undefined;
  /** In ms, from any fixed time on. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined;
}

interface Entry {
  readonly swarm: TaskSwarm;
  /** When it was last wanted. */
  usedAt: number;
}

/**
 * All tasks of this supernode, by blob. What nobody wants any more is forgotten, with those that have it: on disk it stays, and is found again,
 * and who comes late hears of holders from those that tell what they hold.
 */
export class TaskTable {
  /** In the order in which they were last registered. */
  private readonly entries = new Map<BlobId, Entry>();
  private readonly ending = new Set<Promise<void>>();
  private readonly now: () => number;
  /** How many tasks there were. */
  private made = 0;

  constructor(
    private readonly tools: TaskTools,
    private readonly messenger: Messenger,
    private readonly options: TaskTableOptions = {},
  ) {
    this.now = options.now ?? ((): number => performance.now());
  }

  get size(): number {
    return this.entries.size;
  }

  /** How far each task is. */
  *states(): Generator<TaskState> {
    for (const { swarm } of this.entries.values()) yield swarm.task.state;
  }

  /** The blobs that are here or on their way. @param most so many: those on their way before others, and those that were registered last. */
  underWay(most: number): BlobId[] {
    const here: BlobId[] = [];
    const coming: BlobId[] = [];
    for (const [blob, { swarm }] of this.entries) {
      const { isRunning, isUnderWay } = swarm.task;
      if (isUnderWay) (isRunning ? coming : here).push(blob);
    }
    return [...here, ...coming].slice(-most);
  }

  /** The task, if it is known. */
  find(blob: BlobId): TaskSwarm | undefined {
    return this.entries.get(blob)?.swarm;
  }

  /** The task is of use. */
  touch(blob: BlobId): void {
    const entry = this.entries.get(blob);
    if (entry !== undefined) entry.usedAt = this.now();
  }

  /** Whether the task is known, or one more can be. */
  hasRoomFor(blob: BlobId): boolean {
    const { limit = MAX_TASKS } = this.options;
    return this.entries.has(blob) || this.entries.size < limit || this.oldestAtRest !== undefined;
  }

  /** The task, new if it is not known. Whoever gets it wants it, or joins it, at once. */
  obtain(blob: BlobId): TaskSwarm {
    const swarm = this.entries.get(blob)?.swarm ?? this.make(blob);
    this.entries.delete(blob);
    this.entries.set(blob, { swarm, usedAt: this.now() });
    return swarm;
  }

  /** Forgets the tasks that nobody has wanted for long, and of the others the members that nobody needs. */
  forgetIdle(): void {
    const now = this.now();
    let members = 0;
    let left = DISMISSED_AT_ONCE;
    for (const [blob, entry] of this.entries) {
      if (entry.swarm.isWanted || this.isBusy(blob, entry)) {
        entry.usedAt = now;
        left -= entry.swarm.dismiss(left);
      } else if (now - entry.usedAt >= IDLE_TASK && members < FORGOTTEN_AT_ONCE) {
        members += entry.swarm.size;
        this.forget(blob, entry);
      }
    }
  }

  async stop(): Promise<void> {
    for (const [blob, entry] of this.entries) this.forget(blob, entry);
    await Promise.all(this.ending);
  }

  private make(blob: BlobId): TaskSwarm {
    this.makeRoom();
    const { holdersOf, meter, origin } = this.tools;
    const task = new Task(blob, {
      ...this.tools,
      origin: meter === undefined ? origin : meter.originFor(blob, origin),
      holdersOf: () => [...(holdersOf?.(blob) ?? []), ...swarm.holdersOfPart],
    });
    meter?.follow(task);
    const swarm: TaskSwarm = new TaskSwarm(task, this.made++, this.messenger, this.options.placed, this.now);
    this.options.made?.(swarm);
    return swarm;
  }

  /** Of too many, the one goes that was registered the longest ago, members or not: they have it, or register again. */
  private makeRoom(): void {
    const { limit = MAX_TASKS } = this.options;
    const oldest = this.entries.size < limit ? undefined : this.oldestAtRest;
    if (oldest !== undefined) this.forget(...oldest);
  }

  /** What was registered the longest ago of all that is not under way. */
  private get oldestAtRest(): [BlobId, Entry] | undefined {
    for (const known of this.entries) if (!known[1].swarm.task.isRunning) return known;
    return undefined;
  }

  private isBusy(blob: BlobId, { swarm }: Entry): boolean {
    return swarm.task.isRunning || this.options.usedElsewhere?.(blob) === true;
  }

  private forget(blob: BlobId, { swarm }: Entry): void {
    this.entries.delete(blob);
    swarm.stop();
    this.options.forgot?.(blob);
    this.messenger.forget?.(swarm, swarm.cids);
    const ended: Promise<void> = swarm.task
      .stop()
      .catch((error: unknown) => this.tools.log.warn({ blob, err: error }, 'not closed'))
      .finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }
}
