import type { Digest } from '@cdk8s-dragonfly/protocol';
import { LRUCache } from 'lru-cache';

/** How long it is remembered that a blob could not be had, in milliseconds. */
const UNHAD_FOR = 60_000;

/**
 * Blobs that could not be given to the last client that asked. A manifest that names one is refused meanwhile: podman and CRI-O choose
 * where to pull from with the manifest alone, and go on to the registry itself then.
 */
export class UnhadBlobs {
  private readonly blobs: LRUCache<Digest, string>;

  /** @param now the clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.blobs = new LRUCache({ max: 10_000, ttl: UNHAD_FOR, perf: { now }, ttlResolution: 0 });
  }

  /** @param why one sentence, for the client that asks for the manifest next. */
  note(blob: Digest, why: string): void {
    this.blobs.set(blob, why);
  }

  had(blob: Digest): void {
    this.blobs.delete(blob);
  }

  /** The first of these that cannot be had, and why. */
  find(blobs: Iterable<Digest>): { readonly blob: Digest; readonly why: string } | undefined {
    for (const blob of blobs) {
      const why = this.blobs.get(blob);
      if (why !== undefined) return { blob, why };
    }
    return undefined;
  }
}
