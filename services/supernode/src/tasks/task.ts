import type { KeyObject } from 'node:crypto';

import { OriginError } from '@cdk8s-dragonfly/origin';
import type { OriginClient } from '@cdk8s-dragonfly/origin';
import { RESULT_CODE, isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine, Neighbour, TaskFailure } from '@cdk8s-dragonfly/protocol';
import { Unstorable } from '@cdk8s-dragonfly/store';
import type { BlobStore, StoredBlob } from '@cdk8s-dragonfly/store';

import { Holders } from '../holders/holders';
import type { HolderRoads } from '../holders/holders';
import type { TaskMeter } from '../metrics/task-meter';
import { ArrivingBlocks } from './arriving-blocks';
import { DigestMismatch, evictedFailure, failureOf } from './failure';
import { fetchBlob } from './fetch-blob';
import type { Fetched } from './fetch-blob';
import { CredentialsWait, isRefusal } from './fresh-credentials';
import type { OriginTurn, OriginTurns } from './origin-turns';
import { OtherSources, isSameSource } from './other-sources';
import { Quarantine } from './quarantine';
import { Refusals } from './refusals';
import { repairBlob } from './repair-blob';

/** Where a blob can be fetched, and with what. Kept in memory only. */
export interface TaskSource {
  readonly url: URL;
  readonly headers: readonly HeaderLine[];
  /** The MD5 that the whole must have, in lower case. Default: it is not checked. */
  readonly md5?: string | undefined;
}

/** How a blob is wanted. */
export interface Wish {
  /** Who asks, when it has a part of the blob: others who have are about to come. Default: nobody does. */
  readonly resuming?: Neighbour | undefined;
  /** Whether the origin is asked, too, when it has just refused: one who orders a blob is no herd. Default false. */
  readonly insists?: boolean | undefined;
}

/** How far the supernode is with a blob. */
export type TaskState =
  /** Nobody has asked yet. */
  | 'idle'
  /** The origin has been asked and has not answered, or is asked when its turn comes. */
  | 'waiting'
  /** Bytes arrive. */
  | 'fetching'
  /** All bytes are here and checked. */
  | 'complete'
  /** The origin did not give it; the next registration tries again. */
  | 'failed';

/** For so long, in ms, the origin is not asked again for what did not fit on the disk. */
const UNSTORABLE_FOR = 5000;

/** Where tasks write what happens to them. */
export interface TaskLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What a task works with. */
export interface TaskTools {
  readonly origin: Pick<OriginClient, 'open'>;
  /** Who asks origins when. */
  readonly turns: OriginTurns;
  readonly store: BlobStore;
  readonly key: KeyObject;
  /** To daemons that hold blobs. */
  readonly roads: HolderRoads;
  /** Who tells that it holds a blob whole. Default: nobody does. */
  readonly holdersOf?: ((blob: BlobId) => readonly Neighbour[]) | undefined;
  readonly log: TaskLog;
  /** Counts what tasks do. Default: nobody does. */
  readonly meter?: TaskMeter | undefined;
  /** For how long, in ms, an origin that did not give the blob is not asked again. Default 0. */
  readonly retryAfter?: number | undefined;
}

/** One blob at the supernode: fetched from its origin at most once at a time, whoever asks and however many. */
export class Task {
  /** The blocks that arrive from the origin now. */
  readonly arriving: ArrivingBlocks;
  private current: TaskState = 'idle';
  private blobOnDisk: StoredBlob | undefined;
  private problem: TaskFailure | undefined;
  private failedAt = -Infinity;
  private hash: string | undefined;
  private refusedUntil = -Infinity;
  /** The last one that was told: its credentials are the freshest. */
  private source: TaskSource | undefined;
  private running: Promise<void> | undefined;
  private readonly stopping = new AbortController();
  private readonly others = new OtherSources();
  private readonly quarantine = new Quarantine();
  private readonly refusals = new Refusals();
  private readonly holders: Holders;
  /** What the origin refused last. */
  private refused: TaskSource | undefined;
  private readonly stateWatchers = new Set<() => void>();
  /** Set while the origin has refused the credentials in the middle, and others are waited for. */
  private credentialsWait: CredentialsWait | undefined;

  constructor(
    readonly blob: BlobId,
    private readonly tools: TaskTools,
  ) {
    this.arriving = new ArrivingBlocks(tools.store.buffers);
    this.holders = new Holders(blob, tools);
  }

  get state(): TaskState {
    return this.current;
  }

  /** Whether it is here or on its way. */
  get isUnderWay(): boolean {
    return this.current !== 'idle' && this.current !== 'failed';
  }

  /** Whether bytes are asked for, or arrive. */
  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** Whether the origin refused the credentials in the middle: members that still pull are to register again. */
  get needsCredentials(): boolean {
    return this.credentialsWait !== undefined;
  }

  /** The blob on disk; undefined until the origin has answered. */
  get stored(): StoredBlob | undefined {
    return this.blobOnDisk;
  }

  /** Why it failed, in state `failed`. */
  get failure(): TaskFailure | undefined {
    return this.problem;
  }

  /** SHA-256 of the whole in hex, in state `complete`. */
  get sha256(): string | undefined {
    return this.hash;
  }

  /** Calls `watcher` at each change of state, the coming of {@link stored} included; returns what ends that. */
  watch(watcher: () => void): () => void {
    this.stateWatchers.add(watcher);
    return () => this.stateWatchers.delete(watcher);
  }

  /** Sees to it that the blob is here or on its way. */
  want(source: TaskSource, { resuming, insists = false }: Wish = {}): void {
    this.source = source;
    this.credentialsWait?.offer(source);
    if (this.running !== undefined) this.others.add(source);
    else if (this.current !== 'complete' && !this.stopping.signal.aborted) this.begin(source, insists);
    if (resuming !== undefined) this.addHolder(resuming, true);
  }

  /**
   * A daemon holds the blob, whole or in part: a fetch that is under way need not ask the origin for what it has. Later ones ask those who hold it
   * then.
   *
   * @param others whether more are about to come.
   */
  addHolder(peer: Neighbour, others = false): void {
    if (this.running !== undefined && this.current !== 'complete') this.holders.add(peer, others);
  }

  /** Fetches anew what has turned out to be damaged on disk; meanwhile the rest is served. No-op unless the task is complete. */
  repair(): void {
    const { source, blobOnDisk: stored, hash: sha256 } = this;
    if (this.current !== 'complete' || this.running !== undefined || this.stopping.signal.aborted) return;
    if (source === undefined || sha256 === undefined || stored === undefined || stored.whole) return;
    this.running = this.mend(stored, { source, sha256 }).finally(() => {
      this.running = undefined;
      if (this.current === 'complete' && this.blobOnDisk === undefined) this.taken();
    });
  }

  /** Ends the fetch and lets go of the files. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the supernode is stopping'));
    await this.running;
    const stored = this.blobOnDisk;
    this.blobOnDisk = undefined;
    await stored?.release(this.taken);
  }

  /** Fetches it, unless it is too early to try again. */
  private begin(source: TaskSource, insists: boolean): void {
    const refusal = insists ? undefined : this.refusals.of(source);
    // Who asks now is told of its own source, and not of another that was tried since.
    if (refusal !== undefined && this.current === 'failed') this.problem = refusal;
    if (refusal !== undefined || this.isHeldBack(source)) return;
    this.problem = undefined;
    this.setState('waiting');
    this.running = this.fetch(source).finally(() => {
      this.running = undefined;
    });
  }

  /** Whether it is too early to try again. Other credentials may do better. */
  private isHeldBack(source: TaskSource): boolean {
    if (performance.now() < this.refusedUntil) return true;
    if (this.current === 'failed' && this.quarantine.has(source)) return true;
    if (this.refused !== undefined && !isSameSource(source, this.refused)) return false;
    const { retryAfter = 0 } = this.tools;
    const unreachable = this.current === 'failed' && this.problem?.code === RESULT_CODE.urlNotReachable;
    return unreachable && performance.now() - this.failedAt < retryAfter;
  }

  /** Never rejects: a failure is the task's state. */
  private async fetch(source: TaskSource): Promise<void> {
    const { log } = this.tools;
    const began = performance.now();
    this.others.begin(source);
    this.refused = undefined;
    try {
      const { sha256, fetched } = await this.fetchWithFreshCredentials(source);
      this.hash = sha256;
      const ms = Math.round(performance.now() - began);
      log.info({ blob: this.blob, origin: source.url.host, size: this.blobOnDisk?.size, fetched, ms }, 'fetched');
      this.blobOnDisk?.yieldTo(this.taken);
      this.setState('complete');
    } catch (error) {
      this.problem = failureOf(error);
      // A disk may have room again long before an origin has what it did not have.
      this.failedAt = error instanceof Unstorable ? -Infinity : performance.now();
      this.refusedUntil = error instanceof Unstorable ? performance.now() + UNSTORABLE_FOR : -Infinity;
      // What does not have its digest is served to nobody any more.
      if (error instanceof DigestMismatch) this.replaceStored(undefined);
      if (error instanceof OriginError && error.kind === 'status') this.refused = source;
      if (!this.stopping.signal.aborted) {
        const what = error instanceof Unstorable ? 'it cannot be stored' : 'the origin did not give it';
        log.warn({ blob: this.blob, origin: source.url.host, ...this.problem }, what);
      }
      this.blobOnDisk?.yieldTo(this.taken);
      this.setState('failed');
    } finally {
      this.others.clear();
      this.holders.forget();
    }
  }

  /**
   * Goes on as others who wait would have it when the origin refuses what the first one asked for, and when it does so in the middle, with
   * the credentials of a client that is asked for new ones.
   */
  private async fetchWithFreshCredentials(source: TaskSource): Promise<Fetched> {
    for (let using = source; ;) {
      try {
        return await fetchBlob({
          blob: this.blob,
          source: using,
          tools: this.tools,
          signal: this.stopping.signal,
          holders: this.holders,
          arriving: this.arriving,
          began: (stored) => {
            this.replaceStored(stored);
            this.setState('fetching');
          },
        });
      } catch (error) {
        this.refusals.add(using, error);
        if (error instanceof DigestMismatch) {
          this.quarantine.add(using);
          // Nobody is to have more of it while another place is asked.
          this.replaceStored(undefined);
          this.setState('waiting');
        }
        const inTheMiddle = isDigest(this.blob) && (this.blobOnDisk?.held.count ?? 0) > 0;
        const other = this.others.after(error);
        const fresh = other ?? (inTheMiddle && isRefusal(error) ? await this.freshCredentials(using) : undefined);
        if (fresh === undefined) throw error;
        using = fresh;
      }
    }
  }

  private async freshCredentials(refused: TaskSource): Promise<TaskSource | undefined> {
    const { blob } = this;
    this.tools.log.warn(
      { blob, origin: refused.url.host },
      'the credentials are no longer good; daemons are asked for others',
    );
    const wait = new CredentialsWait(refused, this.stopping.signal);
    this.credentialsWait = wait;
    try {
      if (this.source !== undefined) wait.offer(this.source);
      this.setState(this.current);
      return await wait.outcome;
    } finally {
      this.credentialsWait = undefined;
    }
  }

  /** Never rejects: what cannot be repaired is fetched at the next registration. */
  private async mend(
    stored: StoredBlob,
    good: { readonly source: TaskSource; readonly sha256: string },
  ): Promise<void> {
    const { log, store, turns } = this.tools;
    const { blob } = this;
    let turn: OriginTurn | undefined;
    try {
      turn = await turns.take(good.source.url.host, this.stopping.signal);
      const fetched = await repairBlob(stored, good, this.tools, this.stopping.signal);
      log.warn({ blob, origin: good.source.url.host, fetched }, 'blocks were damaged on disk and fetched anew');
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.problem = failureOf(error);
      this.failedAt = -Infinity;
      log.warn({ blob, origin: good.source.url.host, ...this.problem }, 'damaged blocks could not be fetched anew');
      if (error instanceof DigestMismatch) {
        await store.remove(blob).catch((fault: unknown) => log.warn({ blob, err: fault }, 'not removed'));
        this.replaceStored(undefined);
      }
      this.setState('failed');
    } finally {
      turn?.end();
    }
  }

  /** The store needed the room. Whoever is in the middle of it has to go on without us; the next registration fetches it anew. */
  private readonly taken = (): void => {
    this.blobOnDisk = undefined;
    if (this.running !== undefined) return;
    this.hash = undefined;
    this.failedAt = -Infinity;
    this.problem = evictedFailure(this.blob);
    this.setState('failed');
  };

  private replaceStored(stored: StoredBlob | undefined): void {
    const before = this.blobOnDisk;
    this.blobOnDisk = stored;
    // The old object is the same one unless its files were replaced: each `create` is balanced by one release.
    if (before !== undefined) {
      before
        .release(this.taken)
        .catch((error: unknown) => this.tools.log.warn({ blob: this.blob, err: error }, 'not closed'));
    }
  }

  private setState(state: TaskState): void {
    this.current = state;
    for (const watcher of [...this.stateWatchers]) watcher();
  }
}
