import type { Address } from './advertised';
import type { KeyObject } from 'node:crypto';

import {
  NATIVE_VERSION,
  RESULT_CODE,
  digestInUrl,
  failureAnswer,
  isDigest,
  neighbour,
  pieceSizeOf,
  publicKeyText,
  registeredAnswer,
  taskIdOf,
} from '@cdk8s-dragonfly/protocol';
import type {
  BlobId,
  ClassicAnswer,
  NativeRefusal,
  NativeRegistration,
  RegistryRequest,
} from '@cdk8s-dragonfly/protocol';

import { z } from 'zod';

import { mayBeAsked } from '../holders/may-be-asked';
import type { ReplicaSet } from '../replicas/replica-set';
import type { SessionHub } from '../sessions/session-hub';
import { Admission } from './admission';
import { sourceOf } from './source-of';
import { TOO_MUCH } from './task-table';
import type { TaskTable } from './task-table';

const NO_NEIGHBOUR =
  'a daemon that speaks the native protocol needs a cid of at most 200 printable letters without spaces, ' +
  'an ip that is an IPv4 or IPv6 address without a zone, and a port from 1 to 65535, or 0 when it serves nobody';

/** Who serves nobody has no port, and others are not told of it. */
const MEMBER = neighbour.extend({ port: neighbour.shape.port.or(z.literal(0)) });

/** What registration works with. */
export interface RegistrarTools {
  readonly tasks: TaskTable;
  readonly sessions: SessionHub;
  readonly key: KeyObject;
  /** Where clients are told to fetch blocks and pieces. */
  readonly advertised: Address;
  readonly replicas: Pick<ReplicaSet, 'id' | 'owner'>;
}

/** How a registration came. */
export interface Arrival {
  /** The address that the daemon is seen at. */
  readonly remote?: string | undefined;
  /** For how many ms it has waited for its turn. */
  readonly queued: number;
}

/** Takes clients into the swarm of what they want. */
export class Registrar {
  private readonly key: string;
  private readonly admission = new Admission();

  constructor(private readonly tools: RegistrarTools) {
    this.key = publicKeyText(tools.key);
  }

  /**
   * A daemon of ours joins; what it needs to know then comes over its session, so nothing here waits for the origin. Of too many at once, some are
   * told to come again.
   */
  registerNative(request: RegistryRequest, blob: BlobId, { remote, queued }: Arrival = { queued: 0 }): ClassicAnswer {
    const began = performance.now();
    // Others are told of it: what they cannot read would end their sessions.
    const peer = MEMBER.safeParse(request);
    if (!peer.success) return failureAnswer(RESULT_CODE.illegalParameter, NO_NEIGHBOUR);
    const url = new URL(request.rawUrl);
    if (isDigest(blob) && digestInUrl(url) !== blob) {
      const named = `native.blob names ${blob}, but the URL does not; register it under the digest that its URL names`;
      return failureAnswer(RESULT_CODE.illegalParameter, named);
    }
    if (!isDigest(blob) && !namesItsTask(blob, request, url)) {
      const named = `native.blob names ${blob}, but the URL of the task, or what is fetched for it, is another`;
      return failureAnswer(RESULT_CODE.illegalParameter, named);
    }
    const { tasks, sessions, advertised, replicas } = this.tools;
    const owner = replicas.owner(blob, request.native?.without);
    // A task that runs here stays here, whoever would own it now.
    if (!owner.self && request.native?.redirected !== true && tasks.find(blob)?.task.isUnderWay !== true) {
      const { id: process, ip, name, port } = owner.replica;
      const elsewhere: NativeRegistration = { version: NATIVE_VERSION, blob, owner: { ip, port, name, process } };
      const unknown = { taskId: taskIdOf(request), length: undefined, pieceSize: pieceSizeOf(undefined) };
      return registeredAnswer(unknown, elsewhere);
    }
    const applicant = { name: `${request.cid} ${blob}`, waits: request.native?.waits === true, queued };
    const later = this.admission.wait(applicant, began);
    if (later > 0) {
      const refusal: NativeRefusal = { version: NATIVE_VERSION, later, process: replicas.id };
      return failureAnswer(
        RESULT_CODE.waitAuth,
        `more register than can be taken in at once: come again in ${later} ms`,
        refusal,
      );
    }
    if (!tasks.hasRoomFor(blob)) return failureAnswer(RESULT_CODE.systemError, TOO_MUCH);
    const swarm = tasks.obtain(blob);
    const { cid, ip } = peer.data;
    // At an address that cannot be its own, others would be sent to somebody else.
    const port = mayBeAsked(ip, remote) ? peer.data.port : 0;
    const { native: offer } = request;
    const hasPart = offer?.resumes === true;
    swarm.task.want(sourceOf(blob, request), { resuming: hasPart && port > 0 ? { cid, ip, port } : undefined });
    sessions.join({ cid, ip, port, zone: offer?.zone }, swarm, hasPart ? 'part' : 'nothing');
    const size = swarm.task.stored?.size;
    const native: NativeRegistration = { version: NATIVE_VERSION, blob, key: this.key, blocks: advertised };
    const now = performance.now();
    this.admission.took(now - began, now);
    return registeredAnswer({ taskId: taskIdOf(request), length: size, pieceSize: pieceSizeOf(size) }, native);
  }
}

/**
 * Whether a blob without a digest has the name of its URL. Nothing else could tell one content from another: whoever is first with a name
 * decides what all others get. A task's URL may lack parameters that are filtered out of its name, and nothing else.
 */
function namesItsTask(blob: BlobId, request: RegistryRequest, url: URL): boolean {
  if (blob !== `task:${taskIdOf(request)}` || !URL.canParse(request.taskUrl)) return false;
  const task = new URL(request.taskUrl);
  return task.origin === url.origin && task.pathname === url.pathname;
}
