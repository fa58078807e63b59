import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { BLOCK_HASH_HEADER, BLOCK_SIGNATURE_HEADER, attest } from '@cdk8s-dragonfly/protocol';
import type { Digest, Grid } from '@cdk8s-dragonfly/protocol';

/** A blob of which blocks are given. */
export interface GivenBlob {
  readonly blob: Digest;
  readonly bytes: Buffer;
  readonly grid: Grid;
  readonly pieceSize: number;
}

/** Gives a block as who has it from a supernode does. @param key what the supernode attests with. */
export function giveAttested(
  { blob, bytes, grid, pieceSize }: GivenBlob,
  index: number,
  key: KeyObject,
  response: ServerResponse | undefined,
): void {
  const { offset, length } = grid.span(index);
  const block = bytes.subarray(offset, offset + length);
  const hash = createHash('sha256').update(block).digest();
  const { signature } = attest({ blob, pieceSize, index, length: block.length, hash }, key);
  response
    ?.writeHead(200, {
      [BLOCK_HASH_HEADER]: hash.toString('hex'),
      [BLOCK_SIGNATURE_HEADER]: signature.toString('base64'),
      'content-length': block.length,
    })
    .end(block);
}
