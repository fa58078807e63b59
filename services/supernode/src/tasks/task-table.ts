import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { Task } from './task';
import type { TaskTools } from './task';
import { TaskSwarm } from './task-swarm';
import type { Messenger } from './task-swarm';

/** All tasks of this supernode, by blob. */
export class TaskTable {
  private readonly swarms = new Map<BlobId, TaskSwarm>();

  constructor(
    private readonly tools: TaskTools,
    private readonly messenger: Messenger,
  ) {}

  /** The task, if anybody has ever asked for it. */
  find(blob: BlobId): TaskSwarm | undefined {
    return this.swarms.get(blob);
  }

  /** The task, new if nobody has asked for it yet. */
  obtain(blob: BlobId): TaskSwarm {
    let swarm = this.swarms.get(blob);
    if (swarm === undefined) {
      swarm = new TaskSwarm(new Task(blob, this.tools), this.messenger);
      this.swarms.set(blob, swarm);
    }
    return swarm;
  }

  async stop(): Promise<void> {
    const swarms = [...this.swarms.values()];
    this.swarms.clear();
    for (const swarm of swarms) swarm.stop();
    await Promise.all(swarms.map(({ task }) => task.stop()));
  }
}
