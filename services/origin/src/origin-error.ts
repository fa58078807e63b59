/** What went wrong between us and an origin. */
export type OriginErrorKind =
  /** The rules refuse this origin; nothing was sent. */
  | 'forbidden'
  /** No connection: name, address, port or certificate. */
  | 'unreachable'
  /** A connection, but no head of an answer in time. */
  | 'timeout'
  /** An answer with a status other than success. */
  | 'status'
  /** Nothing came for too long in the middle of a body. */
  | 'stalled'
  /** The body ended before its announced end. */
  | 'truncated'
  /** An answer that HTTP does not allow, or that cannot be used. */
  | 'protocol'
  /** The resource is no longer the one that was begun. */
  | 'changed';

/** What an {@link OriginError} knows beyond its kind and message. */
export interface OriginErrorDetails {
  /** The HTTP status, with kind `status`. */
  readonly status?: number | undefined;
  /** `WWW-Authenticate` as the origin sent it, several lines joined by commas. */
  readonly challenge?: string | undefined;
  /** What `Retry-After` asks for, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  /** The length of the whole resource in bytes, when a refusal (416) tells it. */
  readonly size?: number | undefined;
  /** Whether the same request may succeed a little later. Default false. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/**
 * An origin did not give what was asked. The message is one sentence that names the host; it never holds credentials, nor the query of
 * a URL, where storage services put their signatures.
 */
export class OriginError extends Error {
  override readonly name = 'OriginError';
  readonly status: number | undefined;
  readonly challenge: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly size: number | undefined;
  readonly retryable: boolean;

  constructor(
    readonly kind: OriginErrorKind,
    message: string,
    details: OriginErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.status = details.status;
    this.challenge = details.challenge;
    this.retryAfterMs = details.retryAfterMs;
    this.size = details.size;
    this.retryable = details.retryable ?? false;
  }
}
