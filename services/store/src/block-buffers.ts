/** Buffers are made in multiples of this, in bytes, so that blocks of nearly the same length share them. */
const STEP = 64 * 1024;

/** Room for what may stand behind a block, its attestation, in bytes: with it or without, a block takes the same buffers. */
const BEHIND = 128;

/** What is kept for later, in bytes. */
const CAPACITY = 16 * 1024 * 1024;

/**
 * Memory for blocks, used again and again. New memory for each block costs more than the work on it: the kernel clears it page by page,
 * and the collector of garbage runs after every few blocks, for their bytes count as memory that presses.
 */
export class BlockBuffers {
  /** Of each size, those used last behind the others. */
  private readonly free = new Map<number, ArrayBuffer[]>();
  private readonly made = new WeakSet<ArrayBufferLike>();
  private bytes = 0;

  /** @param capacity what is kept for later, in bytes. Default 16 MiB. */
  constructor(private readonly capacity = CAPACITY) {}

  /** A buffer with anything in it. Who does not give it back leaves it to the collector. */
  take(length: number): Buffer {
    const size = Math.ceil((length + BEHIND) / STEP) * STEP;
    const used = this.sized(size).pop();
    if (used !== undefined) this.bytes -= size;
    const memory = used ?? Buffer.allocUnsafeSlow(size).buffer;
    this.made.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Nobody uses it any more. One that was not made here is left alone. */
  giveBack({ buffer }: Buffer): void {
    if (!this.made.delete(buffer)) return;
    const same = this.sized(buffer.byteLength);
    same.push(buffer as ArrayBuffer);
    this.bytes += buffer.byteLength;
    this.keepToCapacity();
  }

  /** Those of a size, which is now the one used last. */
  private sized(size: number): ArrayBuffer[] {
    const buffers = this.free.get(size) ?? [];
    this.free.delete(size);
    this.free.set(size, buffers);
    return buffers;
  }

  /** Sizes that nobody has used for longest go first: the small blocks at the begin of a blob must not keep out those that follow. */
  private keepToCapacity(): void {
    for (const [size, buffers] of this.free) {
      while (this.bytes > this.capacity && buffers.pop() !== undefined) this.bytes -= size;
      if (buffers.length === 0) this.free.delete(size);
      if (this.bytes <= this.capacity) return;
    }
  }
}
