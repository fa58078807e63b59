import type { Holdings, HoldingsQuery } from '@cdk8s-dragonfly/protocol';

import type { SessionHub } from '../sessions/session-hub';
import type { TaskSwarm } from '../tasks/task-swarm';
import type { TaskTable } from '../tasks/task-table';
import type { HoldingsIndex } from './holdings-index';
import { mayBeAsked } from './may-be-asked';

export interface AnnouncedTools {
  readonly index: HoldingsIndex;
  readonly sessions: Pick<SessionHub, 'hold' | 'join'>;
  readonly tasks: Pick<TaskTable, 'find'>;
}

/** Brings those who have a blob whole into its swarm: this supernode and the other members have it from them. */
export class Announced {
  constructor(private readonly tools: AnnouncedTools) {}

  /**
   * A daemon tells which blobs it has. @param remote the address that it tells it from.
   */
  take({ cid, ip, port, zone }: HoldingsQuery, { blobs, anew }: Holdings, remote: string | undefined): void {
    if (!mayBeAsked(ip, remote)) return;
    const { sessions, tasks } = this.tools;
    const member = { cid, ip, port, zone };
    sessions.hold(member, blobs, anew);
    for (const blob of blobs) {
      const swarm = tasks.find(blob);
      if (swarm === undefined) continue;
      sessions.join(member, swarm, 'all');
      swarm.task.addHolder(member);
    }
  }

  /** A swarm has begun. */
  seat(swarm: TaskSwarm): void {
    for (const member of this.tools.index.holdersOf(swarm.task.blob)) this.tools.sessions.join(member, swarm, 'all');
  }
}
