import { createHash } from 'node:crypto';

import { attest } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock, assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { DigestMismatch } from './failure';
import type { TaskSource, TaskTools } from './task';

/** More than this is not fetched block by block, in bytes: it is kept in memory until the whole is checked. */
const MAX_REPAIR = 64 * 1024 * 1024;

/** Reads a block and compares it with the hash that it was written with; a damaged one is no longer held. */
export async function isIntact(stored: StoredBlob, index: number): Promise<boolean> {
  const proof = stored.proofOf(index);
  if (proof === undefined) return false;
  try {
    const bytes = await stored.readFromDisk(index);
    if (createHash('sha256').update(bytes).digest().equals(proof.hash)) return true;
  } catch (error) {
    if (!(error instanceof DamagedBlock)) throw error;
  }
  stored.drop(index);
  return false;
}

/**
 * Fetches the damaged blocks of a blob that was whole, and nothing else. They are held only when the whole has its digest again.
 *
 * @param sha256 of the whole, in hex.
 * @returns the bytes that were fetched.
 * @throws OriginError, DigestMismatch; Error when too much is damaged, or the origin gives too little.
 */
export async function repairBlob(
  stored: StoredBlob,
  { source, sha256 }: { readonly source: TaskSource; readonly sha256: string },
  { origin, key, store }: Pick<TaskTools, 'origin' | 'key' | 'store'>,
  signal: AbortSignal,
): Promise<number> {
  const { blob, grid, size } = stored;
  if (size === undefined) throw new Error(`${blob} was never whole and cannot be repaired`);
  const count = grid.blockCount(size);
  for (let index = 0; index < count; index += 1) await isIntact(stored, index);
  const lost = runs(stored, count);
  const fetched = new Map<number, Buffer>();
  let bytes = 0;
  for (const { first, end } of lost) {
    const from = grid.span(first).offset;
    const to = end === count ? size : grid.span(end).offset;
    bytes += to - from;
    if (bytes > MAX_REPAIR) throw new Error(`more than ${MAX_REPAIR} bytes of ${blob} are damaged on disk`);
    const answer = await origin.open({ ...source, from, end: to }, signal);
    for await (const { index, chunks } of assembleBlocks(grid, first, answer.body, store.buffers)) {
      fetched.set(index, chunks[0]);
    }
  }
  const whole = createHash('sha256');
  for (let index = 0; index < count; index += 1) whole.update(fetched.get(index) ?? (await stored.read(index)));
  const got = whole.digest('hex');
  if (got !== sha256) throw new DigestMismatch(blob, 'SHA-256', got);
  for (const [index, block] of fetched) {
    const hash = createHash('sha256').update(block).digest();
    const statement = {
      blob,
      edition: stored.edition?.id,
      pieceSize: grid.pieceSize,
      index,
      length: block.length,
      hash,
    };
    await stored.write(index, [block], attest(statement, key));
  }
  return bytes;
}

/** The blocks that are missing, those next to each other together; `end` is behind the last. */
function runs({ held }: StoredBlob, count: number): { first: number; end: number }[] {
  const found: { first: number; end: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    if (held.has(index)) continue;
    const last = found.at(-1);
    if (last?.end === index) last.end += 1;
    else found.push({ first: index, end: index + 1 });
  }
  return found;
}
