import type { BlobProvider, BlobRequest, OpenBlob, Outlook } from '@cdk8s-dragonfly/engine';

/** How a blob of a {@link FakeProvider} behaves. */
export interface FakeBlob {
  readonly bytes: Buffer;
  /** What `open` says; default the length of `bytes`. */
  readonly size?: number | undefined;
  readonly unknownSize?: boolean;
  /** Bytes a chunk. Default 64 KiB. */
  readonly chunk?: number;
  /** Throw `error` instead of the chunk that would begin here. */
  readonly failAt?: number;
  readonly error?: Error;
  /** End cleanly here although more was promised. */
  readonly endAt?: number;
  /** Give nothing more from here until the signal aborts. */
  readonly hangAt?: number;
}

/** Hand-made blobs, and what was done to them. */
export class FakeProvider implements BlobProvider, Outlook {
  readonly requests: BlobRequest[] = [];
  readonly reads: { from: number; end: number | undefined }[] = [];
  /** Bytes that readers have taken. */
  taken = 0;
  released = 0;
  aborted = 0;
  /** Reads that have ended, by themselves or because their reader left. */
  ended = 0;
  #watchers: (() => void)[] = [];

  constructor(private readonly blobs: (request: BlobRequest) => FakeBlob | Error | Promise<FakeBlob>) {}

  async open(request: BlobRequest): Promise<OpenBlob> {
    this.requests.push(request);
    const blob = await this.blobs(request);
    if (blob instanceof Error) throw blob;
    return {
      size: blob.unknownSize === true ? undefined : (blob.size ?? blob.bytes.length),
      traffic: { local: 0, peer: blob.bytes.length, supernode: 0, origin: 0 },
      read: (range, signal) => this.#read(blob, range, signal),
      release: () => {
        this.released += 1;
        this.#changed();
      },
    };
  }

  /** Blobs that are within reach; default: all. */
  reach: (blob: string) => boolean = () => true;

  isWithinReach({ blob }: BlobRequest): Promise<boolean> {
    return Promise.resolve(this.reach(blob));
  }

  /** Resolves when `condition` holds; it is looked at after every event. */
  async until(condition: (provider: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  #changed(): void {
    for (const watcher of this.#watchers.splice(0)) watcher();
  }

  async *#read(
    blob: FakeBlob,
    range: { readonly from: number; readonly end?: number },
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    this.reads.push({ from: range.from, end: range.end });
    const end = Math.min(range.end ?? blob.bytes.length, blob.endAt ?? Infinity);
    const stops = [blob.failAt, blob.hangAt].filter((stop) => stop !== undefined);
    try {
      let at = range.from;
      for (;;) {
        if (blob.failAt === at) throw blob.error ?? new Error('the fake blob failed');
        if (blob.hangAt === at) await this.#hang(signal);
        if (at >= end) return;
        const upTo = Math.min(at + (blob.chunk ?? 65_536), end, ...stops.filter((stop) => stop > at));
        this.taken += upTo - at;
        this.#changed();
        yield blob.bytes.subarray(at, upTo);
        at = upTo;
      }
    } finally {
      this.ended += 1;
    }
  }

  #hang(signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
      const onAbort = (): void => {
        this.aborted += 1;
        this.#changed();
        reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
