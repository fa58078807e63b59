import type { BlobId, HeaderLine, TaskIdentity } from '@cdk8s-dragonfly/protocol';

import type { Traffic } from './traffic';

/** What a front (the mirror, dfget) asks the engine for. */
export interface BlobRequest {
  readonly blob: BlobId;
  /** Where the origin has it. */
  readonly url: URL;
  /** The client's headers for the origin, Authorization included; no hop-by-hop headers, no Host, no Range. */
  readonly headers: readonly HeaderLine[];
  /** What a blob without a digest is named after. Default: the URL alone. */
  readonly task?: TaskIdentity | undefined;
  /** The SHA-256 in hex that the client expects of the whole, when the blob's name does not tell it. Default: none. */
  readonly sha256?: string | undefined;
}

/**
 * For how long the chunks of a blob may be used: `kept`: for good; `lent`: until the next is asked for, which costs less, as their memory is
 * used again.
 */
export type Passing = 'kept' | 'lent';

/** A blob that is being read: from disk, or while it arrives. */
export interface OpenBlob {
  /** The length in bytes; undefined when the origin does not tell it before the end. */
  readonly size: number | undefined;
  /** How many bytes an earlier process had left on disk. Default 0. */
  readonly resumed?: number;
  /** Bytes of the blob by where they came from to this node, counted on while it arrives. */
  readonly traffic: Readonly<Traffic>;
  /**
   * The bytes `from` (inclusive) to `end` (exclusive; default the end of the blob) in order, as they arrive and are verified. The
   * last block is given only when the digest of the whole is right.
   *
   * @param passing default `kept`.
   *
   * @throws BlobUnavailable when neither swarm nor origin can go on, or the digest is wrong.
   */
  read(
    range: { readonly from: number; readonly end?: number },
    signal: AbortSignal,
    passing?: Passing,
  ): AsyncIterable<Buffer>;
  /** To be called once when the reader is gone, also after an error. */
  release(): void;
}

/** Where blobs come from. The engine is one; the fronts know no more of it than this. */
export interface BlobProvider {
  /**
   * Joins the blob's download, or opens it on disk. Resolves when the size is known (or known to be unknown).
   *
   * @throws BlobUnavailable when neither swarm nor origin has it; nothing was sent to anyone then.
   */
  open(request: BlobRequest, signal: AbortSignal): Promise<OpenBlob>;
}

/** Looks ahead at what could be had. */
export interface Outlook {
  /**
   * Whether all of a blob is on this node, or at a supernode and neighbours that answer, so that it can be had without its origin. What is not
   * on this node begins to arrive. False when the signal aborts before that is known.
   */
  isWithinReach(request: BlobRequest, signal: AbortSignal): Promise<boolean>;
}

/** Why a blob cannot be had. */
export type UnavailableReason =
  /** The origin answered with a status other than success; see `status`. */
  | 'origin-status'
  /** The origin cannot be reached or stopped in the middle. */
  | 'origin-unreachable'
  /** The rules forbid this origin. */
  | 'origin-forbidden'
  /** The bytes do not have the digest they should have. */
  | 'digest-mismatch'
  /** What stands at its URL was replaced while it was fetched: it can be had anew. */
  | 'changed'
  /** This node's disk cannot hold it. */
  | 'unstorable';

/** A blob cannot be had; the message says why in one sentence. */
export class BlobUnavailable extends Error {
  override readonly name = 'BlobUnavailable';

  constructor(
    readonly reason: UnavailableReason,
    message: string,
    /** The origin's HTTP status, with reason `origin-status`. */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
