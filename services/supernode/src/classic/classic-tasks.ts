import {
  RESULT_CODE,
  failureAnswer,
  parsePeerTaskRequest,
  parsePieceError,
  parsePieceSuccess,
  parseServiceDown,
  pieceSizeOf,
  registeredAnswer,
  successAnswer,
  taskIdOf,
  unknownTaskAnswer,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, ClassicAnswer, PieceRange, RegistryRequest, TaskFailure } from '@cdk8s-dragonfly/protocol';

import type { Address } from '../tasks/advertised';
import { sourceOf } from '../tasks/source-of';
import { TOO_MUCH } from '../tasks/task-table';
import type { TaskTable } from '../tasks/task-table';
import { blobOf } from './blob-of';
import type { ClassicAliases } from './classic-aliases';
import { ClassicSwarm } from './classic-swarm';
import { originHead } from './origin-head';

/** How long a registration waits for the origin, in ms: original clients give it up after 5 s. */
const HEAD_LIMIT = 4000;

/** So many original clients are served at once. */
const MAX_CLIENTS = 50_000;

/** A complaint about a task within this time of the last, in ms, changes nothing (Dragonfly 0.x protocol, 2.6). */
const COMPLAINT_EVERY = 5000;

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
  /** How many clients are served at once. Default 50,000. */
  readonly maxClients?: number;
  /** In ms, from any fixed time on. Default: `performance.now()`. */
  readonly now?: (() => number) | undefined;
  readonly log: { warn(fields: object, text: string): void };
}

/** The control API for original clients: requests in, answers out (Dragonfly 0.x protocol, 2 and 9). */
export class ClassicTasks {
  private readonly swarms = new Map<BlobId, ClassicSwarm>();
  private readonly complaints = new Map<BlobId, number>();
  private readonly now: () => number;
  /** At least as many as there are. */
  private counted = 0;

  constructor(private readonly tools: ClassicTools) {
    // Whole milliseconds: other numbers are objects, and one of each client is kept from each request to the next.
    this.now = tools.now ?? ((): number => Math.trunc(performance.now()));
  }

  /** How many clients are known. */
  get clients(): number {
    let clients = 0;
    for (const swarm of this.swarms.values()) clients += swarm.size;
    return clients;
  }

  /**
   * `POST /peer/registry`: waits a little for the origin, so that the client hears the length, or that there is no file.
   *
   * @param limit the longest wait, in ms. Default: that of the tools.
   */
  async register(request: RegistryRequest, limit = Infinity): Promise<ClassicAnswer> {
    const { tasks, aliases, headLimit = HEAD_LIMIT } = this.tools;
    const taskId = taskIdOf(request);
    const blob = blobOf(request);
    if (this.isFull() && this.swarms.get(blob)?.has(request.cid) !== true)
      return failureAnswer(RESULT_CODE.systemError, 'the supernode has too many clients');
    if (!tasks.hasRoomFor(blob)) return failureAnswer(RESULT_CODE.systemError, TOO_MUCH);
    const { task } = tasks.obtain(blob);
    const swarm = this.swarmOf(blob);
    task.want(sourceOf(blob, request));
    await originHead(task, Math.min(limit, headLimit));
    if (task.failure !== undefined) return refusalOf(task.failure, request.dfdaemon);
    if (swarm.isMixed(request.cid)) {
      const changed = 'the file has changed at its origin since this client began; fetch it from there, or begin anew';
      return failureAnswer(RESULT_CODE.urlNotReachable, changed);
    }
    const stored = task.state === 'waiting' ? undefined : task.stored;
    const pieceSize = stored?.grid.pieceSize ?? pieceSizeOf(undefined);
    const { cid, ip, port, path, md5 = '' } = request;
    aliases.add(taskId, blob);
    this.counted += 1;
    swarm.register({ cid, ip, port, path, taskId, pieceSize, md5: md5.toLowerCase() });
    return registeredAnswer({ taskId, length: stored?.size, pieceSize });
  }

  /** `GET /peer/task`. */
  ask(query: string): ClassicAnswer | Promise<ClassicAnswer> {
    const parsed = parsePeerTaskRequest(query);
    if (!parsed.ok) return parsed.refusal;
    return this.find(parsed.value.taskId)?.ask(parsed.value) ?? unknownTaskAnswer();
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

  /** `GET /peer/piece/error`: taken to heart when it is about the supernode, and not again and again. */
  pieceFailed(query: string): ClassicAnswer {
    const parsed = parsePieceError(query);
    if (parsed.ok && parsed.value.dstCid.startsWith('cdnnode:')) {
      const { taskId, piece } = parsed.value;
      this.complain(taskId, piece).catch((error: unknown) => {
        this.tools.log.warn({ task: taskId, err: error }, 'a piece could not be looked at');
      });
    }
    return successAnswer();
  }

  /** Whether an original client wants the blob. */
  uses(blob: BlobId): boolean {
    return this.swarms.has(blob);
  }

  /** Forgets a file, whoever wants it: clients that ask for it are told to register again. */
  forget(blob: BlobId): void {
    this.swarms.get(blob)?.stop();
    this.swarms.delete(blob);
  }

  /** Forgets clients, and files that nobody wants any more. What is on disk stays, and is found again. */
  forgetIdle(): void {
    for (const [blob, swarm] of this.swarms) {
      swarm.forgetGone();
      if (swarm.isIdle) this.forget(blob);
    }
    this.tools.aliases.keepOnly((blob) => this.swarms.has(blob));
    const now = this.now();
    for (const [blob, at] of this.complaints) if (now - at >= COMPLAINT_EVERY) this.complaints.delete(blob);
  }

  stop(): void {
    for (const swarm of this.swarms.values()) swarm.stop();
    this.swarms.clear();
  }

  private isFull(): boolean {
    const { maxClients = MAX_CLIENTS } = this.tools;
    if (this.counted >= maxClients) this.counted = this.clients;
    return this.counted >= maxClients;
  }

  private async complain(taskId: string, piece: PieceRange | undefined): Promise<void> {
    const blob = this.tools.aliases.blobOf(taskId);
    const swarm = this.find(taskId);
    const now = this.now();
    if (blob === undefined || now - (this.complaints.get(blob) ?? -Infinity) < COMPLAINT_EVERY) return;
    this.complaints.set(blob, now);
    await swarm?.failed(piece);
  }

  private find(taskId: string): ClassicSwarm | undefined {
    const blob = this.tools.aliases.blobOf(taskId);
    return blob === undefined ? undefined : this.swarms.get(blob);
  }

  private swarmOf(blob: BlobId): ClassicSwarm {
    let swarm = this.swarms.get(blob);
    if (swarm === undefined) {
      const { tasks, advertised, peerServed } = this.tools;
      const native = tasks.obtain(blob);
      const tools = { advertised, peerServed, now: this.now, daemons: () => native.all };
      swarm = new ClassicSwarm(native.task, tools);
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
