/** The largest block number a set takes: 1 TiB in blocks of 1 MiB. Bounds what a peer can make us allocate and look through. */
export const MAX_BLOCK = (1 << 20) - 1;

/** A growing set of block numbers, one bit each. */
export class BlockSet {
  private bits = new Uint8Array(64);
  private members = 0;

  static of(blocks: Iterable<number>): BlockSet {
    const set = new BlockSet();
    for (const block of blocks) set.add(block);
    return set;
  }

  /**
   * Reads {@link toBase64}'s form.
   *
   * @throws RangeError when it is longer than {@link MAX_BLOCK} allows.
   */
  static fromBase64(text: string): BlockSet {
    const bits = Buffer.from(text, 'base64');
    if (bits.length * 8 > MAX_BLOCK + 1) throw new RangeError(`a block set of ${bits.length} bytes is too large`);
    const set = new BlockSet();
    set.bits = new Uint8Array(Math.max(64, bits.length));
    set.bits.set(bits);
    for (const byte of bits) set.members += BITS_IN_BYTE[byte] ?? 0;
    return set;
  }

  /** How many blocks are in the set. */
  get count(): number {
    return this.members;
  }

  /** The highest block in the set; -1 when it is empty. */
  get last(): number {
    for (let byte = this.bits.length - 1; byte >= 0; byte -= 1) {
      const bits = this.bits[byte] ?? 0;
      if (bits !== 0) return byte * 8 + 31 - Math.clz32(bits);
    }
    return -1;
  }

  /** Whether a block is in the set; what is no block number is not. */
  has(block: number): boolean {
    // Shifts take the lowest 32 bits alone: Infinity and 2³² would be block 0.
    return block <= MAX_BLOCK && ((this.bits[block >> 3] ?? 0) & (1 << (block & 7))) !== 0;
  }

  /** The 32 blocks from 32 · `place` on, one bit each, the first the lowest: for those who look at many. */
  word(place: number): number {
    const { bits } = this;
    const at = place * 4;
    if (at >= bits.length) return 0;
    // Byte by byte: the set's form does not depend on the machine's.
    return (bits[at] ?? 0) | ((bits[at + 1] ?? 0) << 8) | ((bits[at + 2] ?? 0) << 16) | ((bits[at + 3] ?? 0) << 24);
  }

  /**
   * Adds `block`; tells whether it was new.
   *
   * @throws RangeError for a number that is no block.
   */
  add(block: number): boolean {
    if (!Number.isInteger(block) || block < 0 || block > MAX_BLOCK)
      throw new RangeError(`${block} is not a block number`);
    if (this.has(block)) return false;
    if (block >> 3 >= this.bits.length) this.grow((block >> 3) + 1);
    this.bits[block >> 3] = (this.bits[block >> 3] ?? 0) | (1 << (block & 7));
    this.members += 1;
    return true;
  }

  /** Adds those of another set's blocks that come before `end`. */
  addAll(other: BlockSet, end = MAX_BLOCK + 1): void {
    const length = Math.min(other.bits.length, (end + 7) >> 3);
    if (length > this.bits.length) this.grow(length);
    for (let byte = 0; byte < length; byte += 1) {
      const before = this.bits[byte] ?? 0;
      const rest = end - byte * 8;
      const after = before | ((other.bits[byte] ?? 0) & (rest >= 8 ? 255 : (1 << rest) - 1));
      this.bits[byte] = after;
      this.members += (BITS_IN_BYTE[after] ?? 0) - (BITS_IN_BYTE[before] ?? 0);
    }
  }

  delete(block: number): boolean {
    if (!this.has(block)) return false;
    this.bits[block >> 3] = (this.bits[block >> 3] ?? 0) & ~(1 << (block & 7));
    this.members -= 1;
    return true;
  }

  /** The blocks in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let byte = 0; byte < this.bits.length; byte += 1) {
      const bits = this.bits[byte] ?? 0;
      for (let bit = 0; bits >> bit !== 0; bit += 1) if ((bits & (1 << bit)) !== 0) yield byte * 8 + bit;
    }
  }

  /** The first block from `from` on that is not in the set. */
  firstMissing(from = 0): number {
    let block = from;
    while (this.has(block)) block += (block & 7) === 0 && this.bits[block >> 3] === 255 ? 8 : 1;
    return block;
  }

  /** Bit n of byte m is block 8·m + n; trailing zero bytes are left out. */
  toBase64(): string {
    let end = this.bits.length;
    while (end > 0 && this.bits[end - 1] === 0) end -= 1;
    return Buffer.from(this.bits.buffer, this.bits.byteOffset, end).toString('base64');
  }

  private grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, this.bits.length * 2));
    larger.set(this.bits);
    this.bits = larger;
  }
}

const BITS_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
