import { OriginError } from '@cdk8s-dragonfly/origin';

import { BlobUnavailable } from '../node/blob-request';

/** What readers are told of an error. What is no word of an origin is a fault of this node. */
export function unavailable(error: unknown): BlobUnavailable {
  if (error instanceof BlobUnavailable) return error;
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (!(error instanceof OriginError)) return new BlobUnavailable('unstorable', message, undefined, options);
  if (error.kind === 'status') return new BlobUnavailable('origin-status', message, error.status, options);
  // What stands at its URL was replaced while it was read.
  if (error.kind === 'changed') return new BlobUnavailable('changed', message, undefined, options);
  const reason = error.kind === 'forbidden' ? 'origin-forbidden' : 'origin-unreachable';
  return new BlobUnavailable(reason, message, undefined, options);
}

/** The bytes of a blob do not have the digest that they should have. @param expected undefined: nobody can tell it, or their name does. */
export function mismatch(blob: string, size: number, sha256: string, expected?: string): BlobUnavailable {
  const wanted = expected === undefined ? '' : `, not ${expected}`;
  const message = `the ${size} bytes of ${blob} have the SHA-256 ${sha256}${wanted}; they were thrown away`;
  return new BlobUnavailable('digest-mismatch', message);
}
