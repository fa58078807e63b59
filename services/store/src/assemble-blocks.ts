import { createHash } from 'node:crypto';

import type { Grid } from '@cdk8s-dragonfly/protocol';

import type { BlockBuffers } from './block-buffers';

/** A block cut out of a stream of bytes. */
export interface AssembledBlock {
  readonly index: number;
  /** Its bytes, in one piece: they are hashed, written and passed on with one call each. */
  readonly chunks: readonly [Buffer];
  readonly length: number;
  /** SHA-256 of its bytes. */
  readonly hash: Buffer;
}

/**
 * Cuts a blob's bytes, which begin at the start of block `first`, into its blocks. The last one is as long as what was left.
 *
 * @param bytes nobody else uses them; chunks of memory of `buffers` are given back when they have been taken up.
 * @param buffers memory for them.
 * @param grew is told how much of a block is here whenever it has become more; the bytes are not its own.
 */
export async function* assembleBlocks(
  grid: Grid,
  first: number,
  bytes: AsyncIterable<Buffer>,
  buffers: BlockBuffers,
  grew?: (index: number, bytes: Buffer) => void,
): AsyncGenerator<AssembledBlock> {
  let index = first;
  let wanted = grid.span(index).length;
  let block: Buffer | undefined;
  let length = 0;
  let last: Buffer | undefined;
  for await (const chunk of bytes) {
    // Several chunks in a row may be of one buffer, and the next may still be read into it: a further buffer shows that all of it is here.
    if (last !== undefined && last.buffer !== chunk.buffer) buffers.giveBack(last);
    last = chunk;
    for (let rest = chunk; rest.length > 0;) {
      const part = rest.subarray(0, wanted - length);
      rest = rest.subarray(part.length);
      block ??= buffers.take(wanted);
      part.copy(block, length);
      length += part.length;
      if (length < wanted) {
        grew?.(index, block.subarray(0, length));
        continue;
      }
      yield assembled(index, block);
      index += 1;
      wanted = grid.span(index).length;
      block = undefined;
      length = 0;
    }
  }
  if (block !== undefined) yield assembled(index, block.subarray(0, length));
}

function assembled(index: number, bytes: Buffer): AssembledBlock {
  return { index, chunks: [bytes], length: bytes.length, hash: createHash('sha256').update(bytes).digest() };
}
