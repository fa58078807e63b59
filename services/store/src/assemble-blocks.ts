import { createHash } from 'node:crypto';

import type { Grid } from '@cdk8s-dragonfly/protocol';

/** A block cut out of a stream of bytes. */
export interface AssembledBlock {
  readonly index: number;
  /** Its bytes as they came, not copied together. */
  readonly chunks: readonly Buffer[];
  readonly length: number;
  /** SHA-256 of its bytes. */
  readonly hash: Buffer;
}

/**
 * Cuts a blob's bytes, which begin at the start of block `first`, into its blocks. The last one is as long as what was left.
 * Nothing is copied: a block is hashed while it arrives.
 */
export async function* assembleBlocks(
  grid: Grid,
  first: number,
  bytes: AsyncIterable<Buffer>,
): AsyncGenerator<AssembledBlock> {
  let index = first;
  let wanted = grid.span(index).length;
  let chunks: Buffer[] = [];
  let length = 0;
  let hash = createHash('sha256');
  for await (const chunk of bytes) {
    let rest = chunk;
    while (rest.length > 0) {
      const part = rest.subarray(0, wanted - length);
      rest = rest.subarray(part.length);
      chunks.push(part);
      length += part.length;
      hash.update(part);
      if (length < wanted) continue;
      yield { index, chunks, length, hash: hash.digest() };
      index += 1;
      wanted = grid.span(index).length;
      chunks = [];
      length = 0;
      hash = createHash('sha256');
    }
  }
  if (length > 0) yield { index, chunks, length, hash: hash.digest() };
}
