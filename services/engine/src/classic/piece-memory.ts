/** Bytes of pieces that a node holds at a time: a piece is whole in memory before it is checked. */
const PIECE_MEMORY = 48 * 1024 * 1024;

/** Bounds the pieces in memory. Who comes first is served first. */
export class PieceMemory {
  private free: number;
  private readonly queue = new Set<{ readonly bytes: number; readonly begin: () => void }>();

  /** @param limit in bytes; at least the largest piece. */
  constructor(limit = PIECE_MEMORY) {
    this.free = limit;
  }

  /**
   * Waits for room.
   *
   * @returns what gives it back; to be called once.
   * @throws the signal's reason when it aborts first.
   */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.queue.size > 0 || this.free < bytes) {
      await new Promise<void>((resolve, reject) => {
        const waiting = {
          bytes,
          begin: () => {
            signal.removeEventListener('abort', gone);
            resolve();
          },
        };
        const gone = (): void => {
          this.queue.delete(waiting);
          this.next();
          reject(signal.reason as Error);
        };
        this.queue.add(waiting);
        signal.addEventListener('abort', gone, { once: true });
      });
    } else this.free -= bytes;
    return () => {
      this.free += bytes;
      this.next();
    };
  }

  private next(): void {
    for (const waiting of this.queue) {
      if (waiting.bytes > this.free) return;
      this.queue.delete(waiting);
      this.free -= waiting.bytes;
      waiting.begin();
    }
  }
}
