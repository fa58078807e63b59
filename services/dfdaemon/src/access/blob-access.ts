import type { Digest, HeaderLine } from '@cdk8s-dragonfly/protocol';

import type { Registry } from '../mirror/relay';
import { BlobRights } from './blob-rights';
import type { Claim } from './blob-rights';

/** Who decides whether a client may have a blob that is on the node or in the swarm. */
export type BlobAuthorization =
  /** The registry does. */
  | 'origin'
  /** Nobody: every client of the mirror may have every blob. */
  | 'none';

/** A request for a blob, as far as it matters here. */
export interface BlobQuestion {
  readonly claim: Claim;
  readonly digest: Digest;
  /** Path and query for the registry. */
  readonly target: string;
  /** What the registry is sent. */
  readonly headers: readonly HeaderLine[];
  /** Whom to ask: the registry as the client reaches it. */
  readonly registry: Registry;
}

/**
 * Who may have a blob through this mirror, though it need not be fetched with the client's own credentials any more. A manifest that
 * the registry gives to a client shows its right to the blobs that it names; for any other blob the registry is asked once, by HEAD.
 * What the registry cannot be asked is refused, but for what is still remembered: default deny.
 */
export class BlobAccess {
  constructor(
    private readonly mode: BlobAuthorization,
    private readonly rights = new BlobRights(),
  ) {}

  /** Whether the client may have the blob. False: the registry's own answer to the client says why not. */
  async allows({ claim, digest, target, headers, registry }: BlobQuestion, signal: AbortSignal): Promise<boolean> {
    if (this.remembers(claim, digest)) return true;
    const question = { registry: claim.upstream, method: 'HEAD', path: target, headers } as const;
    let status: number;
    try {
      const answer = await registry.send(question, signal);
      answer.discard();
      ({ status } = answer);
    } catch (error) {
      signal.throwIfAborted();
      // Passed on to the registry, which fails in the same way, and that is what the client is told.
      if (error instanceof Error) return false;
      throw error;
    }
    // A redirect leads to the blob's storage, signed for this client.
    const allowed = (status >= 200 && status < 300) || [301, 302, 303, 307, 308].includes(status);
    if (allowed) this.rights.grant(claim, [digest]);
    return allowed;
  }

  /** Whether a manifest or blob may be given without a question to the registry: it gave this client, or anybody, what names it. */
  remembers(claim: Claim, digest: Digest): boolean {
    return this.mode === 'none' || this.rights.has(claim, digest);
  }

  /** The registry gave this client a manifest: it may have the manifest, and what it names. */
  grant(claim: Claim, digests: Iterable<Digest>): void {
    this.rights.grant(claim, digests);
  }
}
