import { setTimeout as delay } from 'node:timers/promises';

import { timeoutSignal } from '@cdk8s-dragonfly/command';
import { PREHEATS_PATH, preheatDocument, preheatOrdered } from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine, PreheatBlob, PreheatDocument } from '@cdk8s-dragonfly/protocol';

import type { Replica, ReplicaSet } from '../replicas/replica-set';
import type { BlobOutcome } from './blob-preheat';

/** How often another replica is asked how far it is, how long it may take to answer, and how long it may be gone, in ms. */
const ASK_EVERY = 300;
const PATIENCE = 2000;
const GONE_FOR = 3000;

/** A blob that may be another replica's. */
export interface RemoteBlob {
  readonly blob: BlobId;
  readonly url: URL;
  readonly headers: readonly HeaderLine[];
  /** What makes the task id of a file: its URL as it was given, and what is no part of it. */
  readonly rawUrl?: string | undefined;
  readonly filter?: string | undefined;
  readonly identifier?: string | undefined;
}

interface RemoteOrder {
  readonly wanted: RemoteBlob;
  readonly signal: AbortSignal;
  readonly progress: (document: PreheatBlob) => void;
  /** Whether the replica still owns it. */
  readonly isOwner: () => boolean;
}

/** Has blobs fetched by the replicas that own them: where daemons will look for them, and so that the origin is asked once. */
export class RemoteBlobs {
  constructor(
    private readonly replicas: Pick<ReplicaSet, 'owner'>,
    private readonly log: { warn(fields: object, message: string): void },
  ) {}

  /**
   * Has a blob fetched by its owner, or by the next one when that cannot be asked, and waits for it.
   *
   * @returns undefined when it is to be fetched here: this replica owns it.
   * @throws the signal's reason.
   */
  async fetch(
    wanted: RemoteBlob,
    signal: AbortSignal,
    progress: (document: PreheatBlob) => void,
  ): Promise<BlobOutcome | undefined> {
    const without: string[] = [];
    for (;;) {
      const owner = this.replicas.owner(wanted.blob, without);
      if (owner.self) return undefined;
      const { name } = owner.replica;
      const isOwner = (): boolean => {
        const now = this.replicas.owner(wanted.blob, without);
        return !now.self && now.replica.name === name;
      };
      const outcome = await this.fetchAt(owner.replica, { wanted, signal, progress, isOwner });
      if (outcome !== undefined) return outcome;
      without.push(name);
    }
  }

  /** @returns undefined when the replica cannot be asked. */
  private async fetchAt(
    replica: Replica,
    { wanted, signal, progress, isOwner }: RemoteOrder,
  ): Promise<BlobOutcome | undefined> {
    const base = `http://${hostOf(replica)}:${replica.port}${PREHEATS_PATH}`;
    const order = JSON.stringify({
      type: 'file',
      url: wanted.rawUrl ?? wanted.url.href,
      filter: wanted.filter,
      identifier: wanted.identifier,
      headers: Object.fromEntries(wanted.headers),
      here: true,
    });
    let id: string | undefined;
    let heard = performance.now();
    for (;;) {
      try {
        id ??= await create(base, order, signal);
        const document = await ask(`${base}/${id}`, signal);
        heard = performance.now();
        const [blob] = document?.blobs ?? [];
        if (document === undefined) id = undefined;
        if (blob !== undefined) progress(blob);
        if (document?.status === 'SUCCESS') return { ok: true };
        if (document?.status === 'FAILED') {
          const message = blob?.errMsg ?? document.errMsg ?? 'it does not say why';
          return { ok: false, status: blob?.status, message: `replica ${replica.name}: ${message}` };
        }
      } catch (error) {
        signal.throwIfAborted();
        // The look at the replicas may have found out already.
        if (performance.now() - heard > GONE_FOR || !isOwner()) {
          this.log.warn({ blob: wanted.blob, replica: replica.name, err: error }, 'its owner cannot be asked');
          return undefined;
        }
      }
      await delay(ASK_EVERY, undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    }
  }
}

/** Orders it; what was ordered and finished before is ordered anew. */
async function create(base: string, order: string, signal: AbortSignal): Promise<string> {
  const post = async (): Promise<Response> =>
    fetch(base, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: order,
      redirect: 'error',
      signal: AbortSignal.any([signal, timeoutSignal(PATIENCE)]),
    });
  let answer = await post();
  if (answer.status === 409) {
    const { ID: id } = preheatOrdered.parse(await answer.json());
    const signals = AbortSignal.any([signal, timeoutSignal(PATIENCE)]);
    await (await fetch(`${base}/${id}`, { method: 'DELETE', redirect: 'error', signal: signals })).body?.cancel();
    answer = await post();
  }
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`it answered ${answer.status}`);
  }
  return preheatOrdered.parse(await answer.json()).ID;
}

/** @returns undefined when it does not know the order any more. */
async function ask(url: string, signal: AbortSignal): Promise<PreheatDocument | undefined> {
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.any([signal, timeoutSignal(PATIENCE)]),
  });
  if (answer.ok) return preheatDocument.parse(await answer.json());
  await answer.body?.cancel();
  if (answer.status === 404) return undefined;
  throw new Error(`it answered ${answer.status}`);
}

function hostOf({ ip }: Replica): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}
