import { OriginError } from '@cdk8s-dragonfly/origin';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import type { BlobId, TaskFailure } from '@cdk8s-dragonfly/protocol';
import { Unstorable } from '@cdk8s-dragonfly/store';

/** The origin's bytes do not have the digest that their URL, or who asked for them, names. */
export class DigestMismatch extends Error {
  override readonly name = 'DigestMismatch';

  constructor(blob: BlobId, hash: 'SHA-256' | 'MD5', value: string) {
    super(`the origin's bytes for ${blob} have the ${hash} ${value}; they were thrown away`);
  }
}

/**
 * What clients are told of a fetch that failed: a result code of the original protocol and one sentence. Without an origin's status our
 * daemons go to the origin themselves: that is so when the blob does not fit on the supernode's disk.
 */
export function failureOf(error: unknown): TaskFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Unstorable) return { code: RESULT_CODE.urlNotReachable, message: `unstorable: ${message}` };
  if (error instanceof DigestMismatch) return { code: RESULT_CODE.superFail, message, mismatch: true };
  if (!(error instanceof OriginError)) return { code: RESULT_CODE.superFail, message };
  const { status } = error;
  const needsAuth = status === 401 || status === 407;
  return {
    code: needsAuth ? RESULT_CODE.needAuth : RESULT_CODE.urlNotReachable,
    ...(status === undefined ? {} : { status }),
    message,
  };
}

/** What clients are told of a blob that has gone from the disk while they were at it. */
export function evictedFailure(blob: BlobId): TaskFailure {
  const message = `unstorable: ${blob} had to make room for another on the supernode's disk`;
  return { code: RESULT_CODE.urlNotReachable, message };
}
