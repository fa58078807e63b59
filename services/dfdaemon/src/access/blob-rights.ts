import { createHmac, randomBytes } from 'node:crypto';

import type { Digest } from '@cdk8s-dragonfly/protocol';
import { LRUCache } from 'lru-cache';

/** Who asks, and for what repository. */
export interface Claim {
  readonly upstream: URL;
  /** The repository. */
  readonly name: string;
  /** The client's `Authorization`; undefined: it sends none. */
  readonly authorization: string | undefined;
}

/** How long a right is remembered, in milliseconds. */
export const REMEMBERED_FOR = 10 * 60_000;

/** How many rights are remembered; the least recently used go first. An image has some ten blobs. */
const MOST = 50_000;

/**
 * Which clients have shown that they may have which blobs. Credentials are kept as keyed hashes, in memory only, for ten
 * minutes; the key is another at each start.
 */
export class BlobRights {
  private readonly key = randomBytes(32);
  private readonly rights: LRUCache<string, true>;

  /** @param now the clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.rights = new LRUCache({ max: MOST, ttl: REMEMBERED_FOR, perf: { now }, ttlResolution: 0 });
  }

  /** Remembers that whoever makes this claim may have these blobs: the registry gave it what names them. */
  grant(claim: Claim, digests: Iterable<Digest>): void {
    const who = this.nameOf(claim);
    for (const digest of digests) this.rights.set(who + digest, true);
  }

  /** Whether this client may have the blob, or anybody may. */
  has(claim: Claim, digest: Digest): boolean {
    const anybody = { ...claim, authorization: undefined };
    return (
      this.rights.get(this.nameOf(claim) + digest) === true || this.rights.get(this.nameOf(anybody) + digest) === true
    );
  }

  private nameOf({ upstream, name, authorization }: Claim): string {
    const text = JSON.stringify([upstream.href, name, authorization ?? null]);
    return createHmac('sha256', this.key).update(text).digest('base64');
  }
}
