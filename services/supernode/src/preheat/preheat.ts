import { timeoutSignal } from '@cdk8s-dragonfly/command';
import type { Log } from '@cdk8s-dragonfly/command';
import { publicUrl } from '@cdk8s-dragonfly/origin';
import { digestInUrl } from '@cdk8s-dragonfly/protocol';
import type { PreheatDocument, PreheatState, PreheatSummary } from '@cdk8s-dragonfly/protocol';

import { BlobPreheat } from './blob-preheat';
import type { BlobTools, WantedBlob } from './blob-preheat';
import { imageParts } from './image-parts';
import { inParallel } from './in-parallel';
import type { FileOrder, PreheatOrder } from './order';
import { originalTime } from './original-time';
import { RegistryAccess } from './registry-access';
import type { AccessTools } from './registry-access';

/** What a preheat works with. */
export interface PreheatTools extends AccessTools, Pick<BlobTools, 'tasks' | 'remote'> {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** How long a preheat may take as a whole, in ms. Default 6 hours. */
  readonly limit?: number | undefined;
}

/** So many blobs of one image are fetched at once, as container runtimes do. */
const BLOBS_AT_ONCE = 3;

/** So many blobs that failed are named in one message; each tells why by itself, too. */
const MOST_NAMED = 10;

const HOUR = 3_600_000;
const LIMIT = 6 * HOUR;

/** One order, from its acceptance until it is forgotten. */
export class Preheat {
  private state: PreheatState = 'WAITING';
  private problem: string | undefined;
  private blobs: readonly BlobPreheat[] = [];
  private readonly startTime = Date.now();
  private finishTime: number | undefined;
  private readonly cancelling = new AbortController();

  constructor(
    readonly order: PreheatOrder,
    private readonly tools: PreheatTools,
  ) {}

  /** Epoch milliseconds; undefined while it is not over. */
  get finishedAt(): number | undefined {
    return this.finishTime;
  }

  get document(): PreheatDocument {
    return { ...this.summary, blobs: this.blobs.map(({ document }) => document) };
  }

  /** All but its blobs, of which there may be thousands. */
  get summary(): PreheatSummary {
    const { order, state, problem, finishTime } = this;
    return {
      ID: order.id,
      startTime: originalTime(this.startTime),
      ...(finishTime === undefined ? {} : { finishTime: originalTime(finishTime) }),
      status: state,
      ...(problem === undefined ? {} : { errMsg: problem }),
      type: order.type,
      url: publicUrl(order.url),
    };
  }

  /** Does it. Never rejects: a failure is its state. */
  async run(): Promise<void> {
    const { log, limit = LIMIT } = this.tools;
    const about = { preheat: this.order.id, url: publicUrl(this.order.url) };
    const tooLong = timeoutSignal(limit);
    this.state = 'RUNNING';
    log.info(about, 'preheat begins');
    try {
      await this.fetchAll(AbortSignal.any([this.cancelling.signal, tooLong]));
      this.problem = this.failures();
    } catch (error) {
      this.problem = tooLong.aborted
        ? `it took longer than ${limit / HOUR} hours and was given up`
        : error instanceof Error
          ? error.message
          : String(error);
    }
    for (const blob of this.blobs) blob.close(this.problem ?? 'it was not fetched');
    this.finishTime = Date.now();
    this.state = this.problem === undefined ? 'SUCCESS' : 'FAILED';
    const ms = this.finishTime - this.startTime;
    if (this.problem === undefined) log.info({ ...about, blobs: this.blobs.length, ms }, 'preheated');
    else log.warn({ ...about, blobs: this.blobs.length, ms, why: this.problem }, 'preheat failed');
  }

  /** Fetches nothing more; what is on its way comes nevertheless, since others may be at it. */
  cancel(reason: string): void {
    this.cancelling.abort(new Error(reason));
  }

  private async fetchAll(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { order, tools } = this;
    const access = new RegistryAccess(tools, order.url, order.headers, order.credentials);
    const wanted = order.type === 'file' ? [fileBlob(order)] : await this.imageBlobs(access, signal);
    const remote = order.here ? undefined : tools.remote;
    this.blobs = wanted.map((blob) => new BlobPreheat(blob, { tasks: tools.tasks, remote, access }));
    await inParallel(this.blobs, BLOBS_AT_ONCE, async (blob) => blob.run(signal));
    for (const blob of this.blobs) blob.recheck();
  }

  private async imageBlobs(access: RegistryAccess, signal: AbortSignal): Promise<readonly WantedBlob[]> {
    const { order, tools } = this;
    if (order.type !== 'image') return [];
    const { image, platforms } = order;
    const parts = await imageParts({ image, platforms, origin: tools.origin, access, signal });
    return parts.map(({ digest, foreign, ...rest }) => ({ ...rest, blob: digest, skipped: foreign }));
  }

  private failures(): string | undefined {
    const documents = this.blobs.map(({ document }) => document);
    const failed = documents.filter(({ state }) => state === 'FAILED');
    if (failed.length === 0) return undefined;
    const reasons = failed.slice(0, MOST_NAMED).map(({ digest, platforms, errMsg = '' }) => {
      const who = platforms === undefined ? '' : ` (${platforms.join(', ')})`;
      return `${digest}${who}: ${errMsg.replace(/\.$/, '')}`;
    });
    const more = failed.length > MOST_NAMED ? `; and ${failed.length - MOST_NAMED} more` : '';
    return `${failed.length} of ${documents.length} blobs could not be fetched: ${reasons.join('; ')}${more}`;
  }
}

/** The id of the order is the classic task id of the file. */
function fileBlob({ id, url, rawUrl, filter, identifier }: FileOrder): WantedBlob {
  return { blob: digestInUrl(url) ?? `task:${id}`, url, rawUrl, filter, identifier };
}
