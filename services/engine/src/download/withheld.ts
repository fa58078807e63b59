/** Lets bytes through in order, but for the last ones: those come out when they are asked for. */
export class Withheld {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  /** @param limit how many bytes are held back. */
  constructor(private readonly limit: number) {}

  /** Takes bytes in; gives those that may leave for them. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    if (chunk.length === 0) return;
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    while (this.bytes > this.limit) {
      const [first] = this.chunks;
      if (first === undefined) return;
      const out = first.subarray(0, this.bytes - this.limit);
      if (out.length === first.length) this.chunks.shift();
      else this.chunks[0] = first.subarray(out.length);
      this.bytes -= out.length;
      yield out;
    }
  }

  /** Gives what was held back. */
  *rest(): Generator<Buffer, void, undefined> {
    this.bytes = 0;
    yield* this.chunks.splice(0);
  }
}
