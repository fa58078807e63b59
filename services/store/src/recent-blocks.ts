import type { BlockBuffers } from './block-buffers';
import { lent } from './lent-block';
import type { LentBlock } from './lent-block';

/** What is kept, in bytes: a download hashes and passes on what has come a moment ago. */
const CAPACITY = 16 * 1024 * 1024;

interface Recent {
  readonly bytes: Buffer;
  /** How many have it for a while. */
  lent: number;
  /** Somebody has it for good. */
  isKept: boolean;
  isDropped: boolean;
}

/**
 * The blocks of a store that were written last, in memory: whoever hashes the whole or passes blocks on as they arrive need not read them
 * from the file again. Those that are here were checked before they were written, and are changed by nobody.
 */
export class RecentBlocks {
  /** By blob and number, the one that was written first first. */
  private readonly blocks = new Map<string, Recent>();
  private bytes = 0;

  /**
   * @param buffers gets the memory of what is not needed any more.
   * @param capacity in bytes. Default 16 MiB.
   */
  constructor(
    private readonly buffers: BlockBuffers,
    private readonly capacity = CAPACITY,
  ) {}

  /** @param owner tells blobs apart, and what comes after a blob of the same name was removed. @param block belongs to this from now on. */
  add(owner: number, index: number, block: Buffer): void {
    const key = `${owner} ${index}`;
    this.drop(key);
    // A small part of a large buffer would keep all of it.
    if (block.length * 2 < block.buffer.byteLength) return;
    this.blocks.set(key, { bytes: block, lent: 0, isKept: false, isDropped: false });
    this.bytes += block.buffer.byteLength;
    for (const oldest of this.blocks.keys()) {
      if (this.bytes <= this.capacity) return;
      this.drop(oldest);
    }
  }

  /** The bytes, for good. */
  get(owner: number, index: number): Buffer | undefined {
    const recent = this.blocks.get(`${owner} ${index}`);
    if (recent !== undefined) recent.isKept = true;
    return recent?.bytes;
  }

  /** The bytes, for a while. */
  lend(owner: number, index: number): LentBlock | undefined {
    const recent = this.blocks.get(`${owner} ${index}`);
    if (recent === undefined) return undefined;
    recent.lent += 1;
    return lent(recent.bytes, () => {
      recent.lent -= 1;
      this.recycle(recent);
    });
  }

  /** Forgets one block, or all of a blob. */
  forget(owner: number, index?: number): void {
    if (index !== undefined) {
      this.drop(`${owner} ${index}`);
      return;
    }
    for (const key of this.blocks.keys()) if (key.startsWith(`${owner} `)) this.drop(key);
  }

  private drop(key: string): void {
    const recent = this.blocks.get(key);
    if (recent === undefined) return;
    this.bytes -= recent.bytes.buffer.byteLength;
    this.blocks.delete(key);
    recent.isDropped = true;
    this.recycle(recent);
  }

  private recycle({ bytes, lent, isKept, isDropped }: Recent): void {
    if (isDropped && lent === 0 && !isKept) this.buffers.giveBack(bytes);
  }
}
