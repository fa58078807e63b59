import {
  RESULT_CODE,
  digestInUrl,
  failureAnswer,
  parsePeerTaskRequest,
  parsePieceSuccess,
  parseServiceDown,
  pieceSizeOf,
  registeredAnswer,
  successAnswer,
  taskIdOf,
  unknownTaskAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, ClassicAnswer, RegistryRequest, TaskFailure } from '@cdk8s-dragonfly/protocol';

import type { Address } from '../tasks/advertised';
import { sourceOf } from '../tasks/source-of';
import type { TaskTable } from '../tasks/task-table';
import type { ClassicAliases } from './classic-aliases';
import { ClassicSwarm } from './classic-swarm';
import { originHead } from './origin-head';

/** How long a registration waits for the origin, in ms: original clients give it up after 5 s. */
const HEAD_LIMIT = 4000;

/** What the original protocol works with. */
export interface ClassicTools {
  readonly tasks: TaskTable;
  readonly aliases: ClassicAliases;
  /** Where clients are told to fetch the supernode's pieces. */
  readonly advertised: Address;
  /** Is told of the bytes that a client has from another. */
  readonly peerServed?: ((bytes: number) => void) | undefined;
  /** How long a registration waits for the origin, in ms. Default 4000. */
  readonly headLimit?: number;
}

/** The control API for original clients: requests in, answers out (Dragonfly 0.x protocol, 2 and 9). */
export class ClassicTasks {
  private readonly swarms = new Map<BlobId, ClassicSwarm>();

  constructor(private readonly tools: ClassicTools) {}

  /** `POST /peer/registry`: waits a little for the origin, so that the client hears the length, or that there is no file. */
  async register(request: RegistryRequest): Promise<ClassicAnswer> {
    const { tasks, aliases, headLimit } = this.tools;
    const taskId = taskIdOf(request);
    const blob = digestInUrl(new URL(request.rawUrl)) ?? (`task:${taskId}` as const);
    const { task } = tasks.obtain(blob);
    const swarm = this.swarmOf(blob);
    task.want(sourceOf(blob, request));
    await originHead(task, headLimit ?? HEAD_LIMIT);
    if (task.failure !== undefined) return refusalOf(task.failure, request.dfdaemon);
    const stored = task.state === 'waiting' ? undefined : task.stored;
    const pieceSize = stored?.grid.pieceSize ?? pieceSizeOf(undefined);
    const { cid, ip, port, path, md5 = '' } = request;
    aliases.add(taskId, blob);
    swarm.register({ cid, ip, port, path, taskId, pieceSize, md5: md5.toLowerCase() });
    return registeredAnswer({ taskId, length: stored?.size, pieceSize });
  }

  /** `GET /peer/task`. */
  async ask(query: string): Promise<ClassicAnswer> {
    const parsed = parsePeerTaskRequest(query);
    if (!parsed.ok) return parsed.refusal;
    return (await this.find(parsed.value.taskId)?.ask(parsed.value)) ?? unknownTaskAnswer();
  }

  /** `GET /peer/piece/suc`. */
  pieceStored(query: string): ClassicAnswer {
    const parsed = parsePieceSuccess(query);
    if (!parsed.ok) return parsed.refusal;
    this.find(parsed.value.taskId)?.stored(parsed.value.cid, parsed.value);
    return successAnswer();
  }

  /** `GET /peer/service/down`. */
  serviceDown(query: string): ClassicAnswer {
    const parsed = parseServiceDown(query);
    if (!parsed.ok) return parsed.refusal;
    this.find(parsed.value.taskId)?.down(parsed.value.cid);
    return successAnswer();
  }

  stop(): void {
    for (const swarm of this.swarms.values()) swarm.stop();
    this.swarms.clear();
  }

  private find(taskId: string): ClassicSwarm | undefined {
    const blob = this.tools.aliases.blobOf(taskId);
    return blob === undefined ? undefined : this.swarms.get(blob);
  }

  private swarmOf(blob: BlobId): ClassicSwarm {
    let swarm = this.swarms.get(blob);
    if (swarm === undefined) {
      swarm = new ClassicSwarm(this.tools.tasks.obtain(blob).task, this.tools.advertised, this.tools.peerServed);
      this.swarms.set(blob, swarm);
    }
    return swarm;
  }
}

/** A df-daemon can pass a 401 on to its own client; for all others the file cannot be had here. */
function refusalOf({ code, message }: TaskFailure, dfdaemon: boolean): ClassicAnswer {
  const passable = code !== RESULT_CODE.needAuth || dfdaemon;
  return failureAnswer(passable ? code : RESULT_CODE.urlNotReachable, message);
}
