/** What is kept, in bytes: a download hashes and passes on what has come a moment ago. */
const CAPACITY = 16 * 1024 * 1024;

/**
 * The blocks of a store that were written last, in memory: whoever hashes the whole or passes blocks on as they arrive need not read them
 * from the file again. Those that are here were checked before they were written, and are changed by nobody.
 */
export class RecentBlocks {
  /** By blob and number, the one that was written first first. */
  private readonly blocks = new Map<string, Buffer>();
  private bytes = 0;

  /** @param capacity in bytes. Default 16 MiB. */
  constructor(private readonly capacity = CAPACITY) {}

  /** @param owner tells blobs apart, and what comes after a blob of the same name was removed. */
  add(owner: number, index: number, block: Buffer): void {
    // A small part of a large buffer would keep all of it.
    if (block.length * 2 < block.buffer.byteLength) return;
    const key = `${owner} ${index}`;
    this.drop(key);
    this.blocks.set(key, block);
    this.bytes += block.buffer.byteLength;
    for (const oldest of this.blocks.keys()) {
      if (this.bytes <= this.capacity) return;
      this.drop(oldest);
    }
  }

  get(owner: number, index: number): Buffer | undefined {
    return this.blocks.get(`${owner} ${index}`);
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
    this.bytes -= this.blocks.get(key)?.buffer.byteLength ?? 0;
    this.blocks.delete(key);
  }
}
