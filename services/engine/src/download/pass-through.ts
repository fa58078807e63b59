import { createHash } from 'node:crypto';

import { fetchFrom } from '@cdk8s-dragonfly/origin';
import type { OriginClient } from '@cdk8s-dragonfly/origin';
import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { BlobRequest } from '../node/blob-request';
import type { ReadRange } from './reader';
import { mismatch, unavailable } from './unavailable';
import { readUndamaged } from './verify';
import { Withheld } from './withheld';

/** So many bytes, the last ones of what is read, leave only when the digest of the whole is right. */
const WITHHELD = 1024 * 1024;

/** A blob that this node cannot store. */
export interface UnstoredBlob {
  readonly request: BlobRequest;
  /** What is on disk of it all the same. */
  readonly stored: StoredBlob | undefined;
  /** SHA-256 that the whole must have, in hex; undefined when nobody knows it. */
  readonly sha256: string | undefined;
  /** Whether a block on disk may leave this node before the whole was checked. */
  mayLeave(stored: StoredBlob, block: number): boolean;
  /** Bytes came from the origin. */
  took(bytes: number): void;
}

/**
 * A part of a blob straight from the origin, past a disk that cannot take it. All bytes of the blob pass by, so that the whole can be
 * checked; what is on disk from the beginning on is not fetched again.
 *
 * @throws BlobUnavailable when the origin cannot go on, or the digest is wrong: the end of the part has not left then; the signal's
 * reason when it aborts.
 */
export async function* passThrough(
  blob: UnstoredBlob,
  origin: Pick<OriginClient, 'open'>,
  { from, end = Infinity }: ReadRange,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const whole = createHash('sha256');
  const last = new Withheld(WITHHELD);
  let at = 0;
  try {
    for await (const chunk of allBytes(blob, origin, signal)) {
      whole.update(chunk);
      yield* last.push(chunk.subarray(Math.max(0, from - at), Math.max(0, end - at)));
      at += chunk.length;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw unavailable(error);
  }
  const sha256 = whole.digest('hex');
  if (blob.sha256 !== undefined && sha256 !== blob.sha256) throw mismatch(blob.request.blob, at, sha256, blob.sha256);
  yield* last.rest();
}

/** The whole blob in order: what is here from the beginning on and may leave, and the rest from the origin. */
async function* allBytes(
  blob: UnstoredBlob,
  origin: Pick<OriginClient, 'open'>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { request, stored } = blob;
  let from = 0;
  for (let index = 0; stored?.held.has(index) === true && blob.mayLeave(stored, index); index += 1) {
    const bytes = await readUndamaged(stored, index);
    if (bytes === undefined) break;
    signal.throwIfAborted();
    from += bytes.length;
    yield bytes;
  }
  if (stored?.size === from) return;
  const { body } = await fetchFrom(origin, request, { from, signal, byDigest: isDigest(request.blob) });
  for await (const chunk of body) {
    blob.took(chunk.length);
    yield chunk;
  }
}
