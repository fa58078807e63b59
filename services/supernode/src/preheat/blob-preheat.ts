import type { BlobId, PreheatBlob, PreheatBlobState } from '@cdk8s-dragonfly/protocol';

import type { Task } from '../tasks/task';
import type { RegistryAccess } from './registry-access';
import type { RemoteBlobs } from './remote-blobs';

/** What is to be fetched. */
export interface WantedBlob {
  readonly blob: BlobId;
  readonly url: URL;
  /** Bytes, when a manifest says so. */
  readonly size?: number | undefined;
  readonly platforms?: readonly string[] | undefined;
  /** What makes the task id of a file: its URL as it was given, and what is no part of it. */
  readonly rawUrl?: string | undefined;
  readonly filter?: string | undefined;
  readonly identifier?: string | undefined;
  /** It is not fetched. */
  readonly skipped?: boolean | undefined;
}

/** What a blob is fetched with. */
export interface BlobTools {
  readonly tasks: {
    find(blob: BlobId): { readonly task: Task } | undefined;
    obtain(blob: BlobId): { readonly task: Task };
  };
  /** The other replicas; undefined: all is done here. */
  readonly remote: RemoteBlobs | undefined;
  readonly access: RegistryAccess;
}

/** What became of one try. */
export type BlobOutcome =
  { readonly ok: true } | { readonly ok: false; readonly status?: number | undefined; readonly message: string };

/** So often a blob is asked for with other credentials. */
const TRIES = 3;

/** One blob of a preheat: fetched as a task like any other, here or at the replica that owns it. */
export class BlobPreheat {
  private state: PreheatBlobState;
  private problem: { readonly status?: number | undefined; readonly message: string } | undefined;
  private task: Task | undefined;
  private elsewhere: PreheatBlob | undefined;
  private last: PreheatBlob | undefined;

  constructor(
    private readonly wanted: WantedBlob,
    private readonly tools: BlobTools,
  ) {
    this.state = wanted.skipped === true ? 'SKIPPED' : 'WAITING';
  }

  get document(): PreheatBlob {
    return this.last ?? this.now();
  }

  /** The preheat is over: what became of it stays as it is, and holds nothing. @param reason why it was not fetched, if it was not. */
  close(reason: string): void {
    if (this.state === 'WAITING' || this.state === 'RUNNING') this.settle({ ok: false, message: reason });
    this.last = this.now();
    this.task = undefined;
  }

  private now(): PreheatBlob {
    const { wanted, problem, state } = this;
    const { platforms = [] } = wanted;
    const size = this.task?.stored?.size ?? this.elsewhere?.size ?? wanted.size;
    return {
      digest: wanted.blob,
      ...(size === undefined ? {} : { size }),
      bytes: this.bytesHere(size),
      state,
      ...(platforms.length === 0 ? {} : { platforms: [...platforms] }),
      ...(problem === undefined ? {} : { errMsg: problem.message }),
      ...(problem?.status === undefined ? {} : { status: problem.status }),
    };
  }

  /** Fetches it. Resolves when it is here or has failed; rejects with the signal's reason alone. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.state !== 'WAITING') return;
    this.state = 'RUNNING';
    this.settle(await this.fetch(signal));
  }

  /** Looks whether it is still here: on a small disk the last blobs of an image may have displaced the first. */
  recheck(): void {
    if (this.state !== 'SUCCESS' || this.task?.state !== 'failed') return;
    this.settle({ ok: false, ...(this.task.failure ?? { message: 'it is gone again' }) });
  }

  private settle(outcome: BlobOutcome): void {
    this.state = outcome.ok ? 'SUCCESS' : 'FAILED';
    this.problem = outcome.ok ? undefined : outcome;
  }

  private async fetch(signal: AbortSignal): Promise<BlobOutcome> {
    const { access } = this.tools;
    const { url } = this.wanted;
    for (let tries = 1; ; tries += 1) {
      const used = access.headers;
      const outcome = await this.fetchWith(used.lines, signal);
      if (outcome.ok || outcome.status !== 401 || tries === TRIES) return outcome;
      try {
        if (!(await access.renewFor(url, used, signal))) return outcome;
      } catch (error) {
        signal.throwIfAborted();
        return { ok: false, status: 401, message: error instanceof Error ? error.message : String(error) };
      }
    }
  }

  private async fetchWith(headers: RegistryAccess['headers']['lines'], signal: AbortSignal): Promise<BlobOutcome> {
    const { blob, url, rawUrl, filter, identifier } = this.wanted;
    const { tasks, remote } = this.tools;
    // A task that runs here stays here, whoever would own it now.
    if (tasks.find(blob)?.task.isUnderWay !== true) {
      const wanted = { blob, url, rawUrl, filter, identifier, headers };
      const outcome = await remote?.fetch(wanted, signal, (document) => (this.elsewhere = document));
      if (outcome !== undefined) return outcome;
    }
    const { task } = tasks.obtain(blob);
    this.task = task;
    task.want({ url, headers }, { insists: true });
    await settled(task, signal);
    if (task.state === 'complete') return { ok: true };
    return { ok: false, ...(task.failure ?? { message: 'the supernode is stopping' }) };
  }

  private bytesHere(size: number | undefined): number {
    const { task } = this;
    if (task === undefined) return this.elsewhere?.bytes ?? 0;
    const { stored } = task;
    if (stored === undefined) return 0;
    return Math.min(stored.grid.span(stored.held.firstMissing()).offset, size ?? Infinity);
  }
}

/** Waits until nothing more happens with a task. @throws the signal's reason when it aborts. */
async function settled(task: Task, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const over = (): boolean => task.state !== 'waiting' && task.state !== 'fetching';
  if (over()) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      unwatch();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const unwatch = task.watch(() => {
      if (over()) done();
    });
    signal.addEventListener('abort', done);
  });
  signal.throwIfAborted();
}
