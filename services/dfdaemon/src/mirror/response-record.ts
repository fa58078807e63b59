import type { Route } from './route';

/** What happened to one request, fit for a log: no header values but the user agent, no query. */
export interface ResponseRecord {
  readonly kind: Route['kind'];
  readonly method: string;
  /** The blob, where one was asked for. */
  readonly digest: string | undefined;
  /** Where a blob's bytes came from: `registry` when the swarm could not give the first one. */
  readonly from: 'swarm' | 'registry' | 'mirror';
  /** 0 when the client went away before there was one. */
  readonly status: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** From the head of the request to the end of the answer. */
  readonly ms: number;
  readonly userAgent: string;
  /** Why the swarm could not give the first byte of a blob, in one sentence. */
  readonly passedOnBecause: string | undefined;
  /** Why the answer is incomplete or an error of ours, in one sentence. */
  readonly error: string | undefined;
}
