import { createHash, randomBytes } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Digest } from '@cdk8s-dragonfly/protocol';
import type { BlobStore, StoredBlob } from '@cdk8s-dragonfly/store';

export const MIB = 1024 * 1024;
export const PIECE = 4 * MIB;

/** A blob of random bytes. */
export interface Sample {
  readonly blob: Digest;
  readonly content: Buffer;
}

export function sample(size: number): Sample {
  const content = randomBytes(size);
  return { blob: `sha256:${sha256(content).toString('hex')}`, content };
}

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Writes one block of it. */
export async function writeBlock(stored: StoredBlob, { content }: Sample, index: number): Promise<boolean> {
  const { offset } = stored.grid.span(index);
  const bytes = content.subarray(offset, offset + stored.grid.blockLength(index, content.length));
  return stored.write(index, [bytes], { hash: sha256(bytes) });
}

/** Puts the whole blob into the store, and lets it go. */
export async function put(store: BlobStore, one: Sample): Promise<void> {
  const stored = await store.create(one.blob, PIECE, one.content.length);
  try {
    for (let index = 0; index < stored.grid.blockCount(one.content.length); index += 1) {
      await writeBlock(stored, one, index);
    }
    await stored.finish();
  } finally {
    await stored.release();
  }
}

/** Whether the store has it, found and let go again. */
export async function has(store: BlobStore, { blob }: Sample): Promise<boolean> {
  const stored = await store.find(blob);
  await stored?.release();
  return stored !== undefined;
}

/** What the files below a folder take on disk, in bytes. */
export async function filesOnDisk(folder: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) sum += (await lstat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return sum;
}

/** A disk that is as full as the test says, and does not know of our files. */
export class PretendedDisk {
  readonly bsize = 4096;
  questions = 0;

  constructor(public free: number) {}

  readonly statfs = (): Promise<{ bavail: number; bsize: number; blocks: number }> => {
    this.questions += 1;
    return Promise.resolve({ bavail: Math.floor(this.free / this.bsize), bsize: this.bsize, blocks: 1_000_000 });
  };
}

/** A timer that goes when the test says so. */
export class HandTimer {
  private work: (() => void) | undefined;

  readonly every = (_milliseconds: number, work: () => void): (() => void) => {
    this.work = work;
    return () => (this.work = undefined);
  };

  tick(): void {
    this.work?.();
  }
}
