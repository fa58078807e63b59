/** Buffers are made in multiples of this, in bytes, so that blocks of nearly the same length share them. */
const STEP = 64 * 1024;

/** What is kept for later, in bytes. */
const CAPACITY = 24 * 1024 * 1024;

/**
 * Memory for blocks, used again and again. New memory for each block costs more than the work on it: the kernel clears it page by page,
 * and the collector of garbage runs after every few blocks, for their bytes count as memory that presses.
 */
export class BlockBuffers {
  private readonly free = new Map<number, ArrayBuffer[]>();
  private readonly made = new WeakSet<ArrayBufferLike>();
  private bytes = 0;

  /** @param capacity what is kept for later, in bytes. Default 24 MiB. */
  constructor(private readonly capacity = CAPACITY) {}

  /** A buffer with anything in it. Who does not give it back leaves it to the collector. */
  take(length: number): Buffer {
    const size = Math.ceil(length / STEP) * STEP;
    const used = this.free.get(size)?.pop();
    if (used !== undefined) this.bytes -= size;
    const memory = used ?? Buffer.allocUnsafeSlow(size).buffer;
    this.made.add(memory);
    return Buffer.from(memory, 0, length);
  }

  /** Nobody uses it any more. One that was not made here is left alone. */
  giveBack({ buffer }: Buffer): void {
    if (!this.made.delete(buffer)) return;
    const { byteLength } = buffer;
    if (this.bytes + byteLength > this.capacity) return;
    this.bytes += byteLength;
    const same = this.free.get(byteLength);
    if (same === undefined) this.free.set(byteLength, [buffer as ArrayBuffer]);
    else same.push(buffer as ArrayBuffer);
  }
}
