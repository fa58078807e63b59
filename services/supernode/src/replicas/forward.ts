import {
  RESULT_CODE,
  failureAnswer,
  parsePeerTaskRequest,
  parsePieceError,
  parsePieceSuccess,
  parseServiceDown,
  successAnswer,
  taskIdOf,
  unknownTaskAnswer,
  waitAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer, RegistryRequest } from '@cdk8s-dragonfly/protocol';

import { blobOf } from '../classic/blob-of';
import type { ClassicTasks } from '../classic/classic-tasks';
import type { TaskTable } from '../tasks/task-table';
import { SilentReplica } from './forward-client';
import type { ForwardClient } from './forward-client';
import type { ForwardMark, Forwardable } from './forward-mark';
import type { ForwardMemory, ForwardedClient } from './forward-memory';
import type { Replica, ReplicaSet } from './replica-set';

/** What original clients ask after their registration. */
export type ClassicPath = '/peer/task' | '/peer/piece/suc' | '/peer/piece/error' | '/peer/service/down';

/** A request as it came in. */
export interface Incoming extends Forwardable {
  /** The mark of another replica, or what a client gives for one. */
  readonly mark: string | readonly string[] | undefined;
}

export interface ForwarderTools {
  readonly classic: Pick<ClassicTasks, 'register' | 'ask' | 'pieceStored' | 'pieceFailed' | 'serviceDown'>;
  readonly tasks: Pick<TaskTable, 'find'>;
  readonly replicas: Pick<ReplicaSet, 'owner' | 'lost' | 'isThere'>;
  readonly mark: ForwardMark;
  readonly memory: ForwardMemory;
  readonly client: Pick<ForwardClient, 'send'>;
  /** In ms, from any fixed time on. */
  readonly now: () => number;
  readonly log: { warn(fields: object, text: string): void };
}

/** A registration that another replica passed on is answered within this time, in ms: that replica waits not much longer. */
const MARKED_HEAD_LIMIT = 1500;

/**
 * So many of them wait for the origin at a time; others are answered at once, without a length. Each takes one of the connections between the replicas
 * for as long as it waits: with all of them taken, nothing would get through, and this replica would be taken for one that does not answer.
 */
const MARKED_WAITING = 64;

/** A registration is answered within this time, in ms: original clients give it up after 5 s. */
const REGISTER_LIMIT = 4500;

/** The time, in ms, that a registration gets for the origin even when owners took all the rest. */
const SHORTEST_HEAD_LIMIT = 500;

const BUSY = 'the supernode that has this file is busy: come again in a while';

/** Owners that do not answer are asked for in turn, so many. */
const OWNERS = 2;

/**
 * Original clients ask any replica, and know nothing of owners: what they want of another replica's blob is passed on to it, once, and they
 * fetch the pieces from there. What the owner does not take is served here. Never throws, and answers in time: some original clients
 * crash on anything but an answer (Dragonfly 0.x protocol, T1).
 */
export class Forwarder {
  /** How many registrations that others passed on wait for the origin now. */
  private marked = 0;

  constructor(private readonly tools: ForwarderTools) {}

  /** `POST /peer/registry`. */
  async register(request: RegistryRequest, incoming: Incoming): Promise<ClassicAnswer> {
    const { classic, tasks, replicas, mark, memory, now } = this.tools;
    const end = now() + REGISTER_LIMIT;
    const client: ForwardedClient = { taskId: taskIdOf(request), cid: request.cid };
    if (mark.isOn(incoming, incoming.mark)) {
      memory.forget(client);
      return this.registerMarked(request);
    }
    const blob = blobOf(request);
    for (let asked = 0; asked < OWNERS; asked += 1) {
      const owner = replicas.owner(blob);
      // A task that runs here stays here, whoever would own it now.
      if (owner.self || tasks.find(blob)?.task.isUnderWay === true) break;
      const answer = await this.send(owner.replica, incoming);
      if (answer === 'lost') continue;
      // Whoever takes it here fetches it a second time; an original client comes again, to any replica.
      if (answer === 'busy') return failureAnswer(RESULT_CODE.waitAuth, BUSY);
      if (answer.code === 200) memory.remember(client, owner.replica);
      else memory.forget(client);
      return answer;
    }
    memory.forget(client);
    return classic.register(request, Math.max(SHORTEST_HEAD_LIMIT, end - now()));
  }

  /** All that clients ask later. What is answered here is so at once, mostly. */
  answer(path: ClassicPath, query: string, incoming: () => Incoming): ClassicAnswer | Promise<ClassicAnswer> {
    const { mark, memory } = this.tools;
    if (memory.size === 0) return this.here(path, query);
    const client = clientIn(path, query);
    const replica = client === undefined ? undefined : memory.find(client);
    if (client === undefined || replica === undefined) return this.here(path, query);
    const request = incoming();
    return mark.isOn(request, request.mark) ? this.here(path, query) : this.passOn(path, client, replica, request);
  }

  private async registerMarked(request: RegistryRequest): Promise<ClassicAnswer> {
    this.marked += 1;
    try {
      return await this.tools.classic.register(request, this.marked > MARKED_WAITING ? 0 : MARKED_HEAD_LIMIT);
    } finally {
      this.marked -= 1;
    }
  }

  private async passOn(
    path: ClassicPath,
    client: ForwardedClient,
    replica: Replica,
    incoming: Incoming,
  ): Promise<ClassicAnswer> {
    const { memory } = this.tools;
    const answer = await this.send(replica, incoming);
    if (answer === 'lost' || path === '/peer/service/down') memory.forget(client);
    if (typeof answer === 'object') return answer;
    if (path !== '/peer/task') return successAnswer();
    // When it is lost, the client registers again, and is served here or by the next owner.
    return answer === 'busy' ? waitAnswer() : unknownTaskAnswer();
  }

  private here(path: ClassicPath, query: string): ClassicAnswer | Promise<ClassicAnswer> {
    const { classic } = this.tools;
    switch (path) {
      case '/peer/task':
        return classic.ask(query);
      case '/peer/piece/suc':
        return classic.pieceStored(query);
      case '/peer/piece/error':
        return classic.pieceFailed(query);
      case '/peer/service/down':
        return classic.serviceDown(query);
    }
  }

  /** `lost` when the replica is gone: until it is heard of again, it owns nothing; `busy` when it is silent, and may answer later. */
  private async send(replica: Replica, { target, body }: Incoming): Promise<ClassicAnswer | 'lost' | 'busy'> {
    const { client, mark, replicas, log } = this.tools;
    const message = body === undefined ? { target } : { target, body };
    try {
      return await client.send(replica, message, mark.of(message));
    } catch (error) {
      log.warn({ replica: replica.name, err: error }, "a client's request could not be passed on");
      if (error instanceof SilentReplica && (await replicas.isThere(replica))) return 'busy';
      replicas.lost(replica);
      return 'lost';
    }
  }
}

/** Whose request it is; undefined when it cannot be read. */
function clientIn(path: ClassicPath, query: string): ForwardedClient | undefined {
  switch (path) {
    case '/peer/task': {
      const parsed = parsePeerTaskRequest(query);
      return parsed.ok ? { taskId: parsed.value.taskId, cid: parsed.value.srcCid } : undefined;
    }
    case '/peer/piece/error': {
      const parsed = parsePieceError(query);
      return parsed.ok ? { taskId: parsed.value.taskId, cid: parsed.value.srcCid } : undefined;
    }
    case '/peer/piece/suc': {
      const parsed = parsePieceSuccess(query);
      return parsed.ok ? parsed.value : undefined;
    }
    case '/peer/service/down': {
      const parsed = parseServiceDown(query);
      return parsed.ok ? parsed.value : undefined;
    }
  }
}
