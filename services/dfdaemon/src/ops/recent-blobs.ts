import type { DaemonBlobs } from '@cdk8s-dragonfly/protocol';

import type { ResponseRecord } from '../mirror/response-record';

/** How many are remembered. */
const MOST = 64;

/** The blobs that clients of the mirror were given last. */
export class RecentBlobs {
  private readonly blobs: DaemonBlobs = [];

  /** Takes note of an answer that has ended. */
  record({ kind, method, digest, from, sources, ...record }: ResponseRecord): void {
    if (kind !== 'blob' || method !== 'GET' || digest === undefined) return;
    const { userAgent, status, bytes, ms, passedOnBecause, error } = record;
    const told = from === 'swarm' && sources !== undefined ? { ...sources } : undefined;
    this.blobs.unshift({ digest, userAgent, status, bytes, ms, sources: told, passedOnBecause, error });
    this.blobs.length = Math.min(this.blobs.length, MOST);
  }

  /** Latest first. */
  list(): DaemonBlobs {
    return this.blobs;
  }
}
