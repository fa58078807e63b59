import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

import { fetchFrom } from '@cdk8s-dragonfly/origin';
import type { OriginFetch } from '@cdk8s-dragonfly/origin';
import { attest, hexOf, isDigest, pieceSizeOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock, assembleBlocks } from '@cdk8s-dragonfly/store';
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
 * @throws OriginError, DigestMismatch; Unstorable when the disk cannot take it.
 */
export async function fetchBlob(
  blob: BlobId,
  source: TaskSource,
  tools: TaskTools,
  signal: AbortSignal,
  began: (stored: StoredBlob) => void,
): Promise<Fetched> {
  const { origin, store, key } = tools;
  // A URL without a digest may name other content by now: what is left of it is not gone on with.
  if (!isDigest(blob)) await store.remove(blob);
  const left = await store.find(blob);
  // Held until the fetch has its own hold of it, so that it does not have to make room meanwhile.
  let releaseLeft = left;
  const whole = createHash('sha256');
  let first = 0;
  let stored: StoredBlob;
  let from: number;
  let answer: OriginFetch;
  try {
    if (left !== undefined) first = await hashLeft(left, whole);
    if (left?.whole === true && first === left.grid.blockCount(left.size ?? 0)) {
      const sha256 = whole.digest('hex');
      if (sha256 === hexOf(blob)) {
        releaseLeft = undefined;
        began(left);
        await left.finish();
        return { sha256, fetched: 0 };
      }
      await store.remove(blob);
      return await fetchBlob(blob, source, tools, signal, began);
    }
    from = left === undefined ? 0 : left.grid.span(first).offset;
    answer = await fetchFrom(origin, source, { from, signal, byDigest: isDigest(blob) });
    try {
      if (left !== undefined && !continues(left, answer.size)) {
        answer.discard();
        await store.remove(blob);
        return await fetchBlob(blob, source, tools, signal, began);
      }
      stored = await store.create(blob, pieceSizeOf(answer.size), answer.size);
    } catch (error) {
      answer.discard();
      throw error;
    }
  } finally {
    await releaseLeft?.release();
  }
  began(stored);
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

/** Hashes what an earlier process left, from the beginning as far as it is here and intact; gives the number of those blocks. */
async function hashLeft(left: StoredBlob, whole: Hash): Promise<number> {
  for (let index = 0; ; index += 1) {
    if (!left.held.has(index)) return index;
    try {
      whole.update(await left.read(index));
    } catch (error) {
      if (error instanceof DamagedBlock) return index;
      throw error;
    }
  }
}

/** Whether what the origin gives now can be what an earlier process began. */
function continues(left: StoredBlob, size: number | undefined): boolean {
  const sameSize = left.size === undefined || size === undefined || left.size === size;
  return sameSize && left.grid.pieceSize === pieceSizeOf(size);
}
