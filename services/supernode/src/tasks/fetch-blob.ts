import { createHash } from 'node:crypto';

import { fetchFrom } from '@cdk8s-dragonfly/origin';
import { attest, hexOf, isDigest, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { DigestMismatch } from './failure';
import type { TaskSource, TaskTools } from './task';

/** What a fetch brought. */
export interface Fetched {
  /** SHA-256 of the whole in hex. */
  readonly sha256: string;
  /** Bytes that came from the origin. */
  readonly fetched: number;
}

/**
 * Brings a blob into the store: what an earlier process left of it is kept and the rest asked of the origin, block by
 * block hashed, attested and written as it arrives; the whole is checked against its digest, or the MD5 of its source, and given its
 * final name.
 *
 * @param began is told the stored blob, for its caller to release, as soon as its grid is known.
 * @throws OriginError, DigestMismatch, or what the disk says.
 */
export async function fetchBlob(
  blob: BlobId,
  source: TaskSource,
  { origin, store, key }: TaskTools,
  signal: AbortSignal,
  began: (stored: StoredBlob) => void,
): Promise<Fetched> {
  // A URL without a digest may name other content by now: what is left of it is not gone on with.
  if (!isDigest(blob)) await store.remove(blob);
  const left = await store.find(blob);
  if (left !== undefined) {
    if (left.whole) {
      const sha256 = await hashOf(left, left.grid.blockCount(left.size ?? 0));
      if (sha256 === hexOf(blob)) {
        began(left);
        await left.finish();
        return { sha256, fetched: 0 };
      }
    }
    await left.release();
  }
  const first = left?.whole === false ? left.held.firstMissing() : 0;
  const from = left === undefined ? 0 : left.grid.span(first).offset;
  const answer = await fetchFrom(origin, source, { from, signal, byDigest: isDigest(blob) });
  let stored: StoredBlob;
  try {
    stored = await store.create(blob, pieceSizeOf(answer.size), answer.size);
  } catch (error) {
    answer.discard();
    throw error;
  }
  began(stored);
  const whole = createHash('sha256');
  for (let index = 0; index < first; index += 1) whole.update(await stored.read(index));
  const md5 = source.md5 === undefined ? undefined : createHash('md5');
  let size = from;
  for await (const { index, chunks, length, hash } of assembleBlocks(stored.grid, first, answer.body)) {
    for (const chunk of chunks) {
      whole.update(chunk);
      md5?.update(chunk);
    }
    const statement = { blob, pieceSize: stored.grid.pieceSize, index, length, hash };
    // The short last block is read by its true length: the size has to be known before it is held.
    if (length < stored.grid.span(index).length) await stored.setSize(size + length);
    await stored.write(index, chunks, attest(statement, key));
    size += length;
  }
  await stored.setSize(size);
  const sha256 = whole.digest('hex');
  if (isDigest(blob) && sha256 !== hexOf(blob)) {
    await store.remove(blob);
    throw new DigestMismatch(blob, 'SHA-256', sha256);
  }
  const gotMd5 = md5?.digest('hex');
  if (gotMd5 !== source.md5) {
    await store.remove(blob);
    throw new DigestMismatch(blob, 'MD5', gotMd5 ?? '');
  }
  await stored.finish();
  return { sha256, fetched: size - from };
}

/** SHA-256 in hex over the first `count` blocks. */
async function hashOf(stored: StoredBlob, count: number): Promise<string> {
  const whole = createHash('sha256');
  for (let index = 0; index < count; index += 1) whole.update(await stored.read(index));
  return whole.digest('hex');
}
