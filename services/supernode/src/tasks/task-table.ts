import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { Task } from './task';
import type { TaskState, TaskTools } from './task';
import { TaskSwarm } from './task-swarm';
import type { Messenger } from './task-swarm';

/** All tasks of this supernode, by blob. */
export class TaskTable {
  private readonly swarms = new Map<BlobId, TaskSwarm>();

  /** @param placed is told how long each placement decision took, in ms. */
  constructor(
    private readonly tools: TaskTools,
    private readonly messenger: Messenger,
    private readonly placed?: (ms: number) => void,
  ) {}

  /** How far each task is. */
  *states(): Generator<TaskState> {
    for (const { task } of this.swarms.values()) yield task.state;
  }

  /** The task, if anybody has ever asked for it. */
  find(blob: BlobId): TaskSwarm | undefined {
    return this.swarms.get(blob);
  }

  /** The task, new if nobody has asked for it yet. */
  obtain(blob: BlobId): TaskSwarm {
    let swarm = this.swarms.get(blob);
    if (swarm === undefined) {
      const { meter, origin } = this.tools;
      const task = new Task(
        blob,
        meter === undefined ? this.tools : { ...this.tools, origin: meter.originFor(blob, origin) },
      );
      meter?.follow(task);
      swarm = new TaskSwarm(task, this.messenger, this.placed);
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
