import { createHash } from 'node:crypto';

import { DamagedBlock } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { Bell } from './bell';

/**
 * Follows a blob that arrives, in order, and gives the hash of the whole in hex once it is here.
 *
 * @param bell rings when a block is held or the size becomes known.
 * @param algorithm default SHA-256.
 * @throws the signal's reason when it aborts; an error of the disk.
 */
export async function hashWhole(
  stored: StoredBlob,
  bell: Bell,
  signal: AbortSignal,
  algorithm: 'sha256' | 'md5' = 'sha256',
): Promise<string> {
  const whole = createHash(algorithm);
  for (let index = 0; ; index += 1) {
    for (;;) {
      if (stored.size !== undefined && index >= stored.grid.blockCount(stored.size)) return whole.digest('hex');
      const block = stored.held.has(index) ? await undamaged(stored.lend(index)) : undefined;
      if (block !== undefined) {
        whole.update(block.bytes);
        block.done();
        break;
      }
      if (!stored.held.has(index)) await bell.next(signal);
    }
    signal.throwIfAborted();
  }
}

/** The block; undefined when it turned out to be damaged, and is to be fetched anew. */
export async function readUndamaged(stored: StoredBlob, index: number): Promise<Buffer | undefined> {
  return undamaged(stored.read(index));
}

async function undamaged<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof DamagedBlock) return undefined;
    throw error;
  }
}
