/** The largest block number a set takes: 1 TiB in blocks of 1 MiB. Bounds what a peer can make us allocate and look through. */
export const MAX_BLOCK = (1 << 20) - 1;

/** Words of a new set. */
const LEAST_WORDS = 16;

/** A growing set of block numbers, one bit each, 32 in a word. */
export class BlockSet {
  private words = new Int32Array(LEAST_WORDS);
  private members = 0;
  /** The highest block that there was; -1 when there was none. Behind it there is nothing. */
  private highest = -1;

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
    set.words = new Int32Array(Math.max(LEAST_WORDS, Math.ceil(bits.length / 4)));
    for (const [byte, some] of bits.entries()) set.words[byte >> 2] = set.word(byte >> 2) | (some << (8 * (byte & 3)));
    for (const word of set.words) set.members += bitsIn(word);
    set.highest = bits.length * 8 - 1;
    set.highest = set.last;
    return set;
  }

  /** How many blocks are in the set. */
  get count(): number {
    return this.members;
  }

  /** The highest block in the set; -1 when it is empty. */
  get last(): number {
    while (this.highest >= 0 && !this.has(this.highest)) {
      // Whole words that are empty, and then bit by bit.
      this.highest = this.word(this.highest >> 5) === 0 ? (this.highest >> 5) * 32 - 1 : this.highest - 1;
    }
    return this.highest;
  }

  /** Whether a block is in the set; what is no block number is not. */
  has(block: number): boolean {
    // Shifts take the lowest 32 bits alone: Infinity and 2³² would be block 0.
    return block <= MAX_BLOCK && (this.word(block >> 5) & (1 << (block & 31))) !== 0;
  }

  /** The 32 blocks from 32 · `place` on, one bit each, the first the lowest: for those who look at many. */
  word(place: number): number {
    return this.words[place] ?? 0;
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
    const place = block >> 5;
    if (place >= this.words.length) this.grow(place + 1);
    this.words[place] = this.word(place) | (1 << (block & 31));
    this.members += 1;
    if (block > this.highest) this.highest = block;
    return true;
  }

  /** Adds those of another set's blocks that come before `end`. */
  addAll(other: BlockSet, end = MAX_BLOCK + 1): void {
    const length = Math.min((other.last >> 5) + 1, (end + 31) >> 5);
    if (length > this.words.length) this.grow(length);
    for (let place = 0; place < length; place += 1) {
      const rest = end - place * 32;
      const before = this.word(place);
      const after = before | (other.word(place) & (rest >= 32 ? -1 : (1 << rest) - 1));
      this.words[place] = after;
      this.members += bitsIn(after) - bitsIn(before);
    }
    this.highest = Math.max(this.highest, Math.min(other.highest, end - 1));
  }

  delete(block: number): boolean {
    if (!this.has(block)) return false;
    this.words[block >> 5] = this.word(block >> 5) & ~(1 << (block & 31));
    this.members -= 1;
    return true;
  }

  /** The blocks in ascending order. */
  *[Symbol.iterator](): Generator<number> {
    for (let place = 0; place * 32 <= this.highest; place += 1) {
      for (let bit = 0; bit < 32 && this.word(place) >>> bit !== 0; bit += 1) {
        if ((this.word(place) & (1 << bit)) !== 0) yield place * 32 + bit;
      }
    }
  }

  /** The first block from `from` on that is not in the set. */
  firstMissing(from = 0): number {
    let block = from;
    while (this.has(block)) block += (block & 31) === 0 && this.word(block >> 5) === -1 ? 32 : 1;
    return block;
  }

  /** The first block from `from` on that is in this set and not in the other; undefined: all of them are in both. */
  firstBeyond(other: BlockSet, from = 0): number | undefined {
    let kept = -1 << (from & 31);
    for (let place = from >> 5; place * 32 <= this.highest; place += 1) {
      const beyond = this.word(place) & ~other.word(place) & kept;
      if (beyond !== 0) return place * 32 + 31 - Math.clz32(beyond & -beyond);
      kept = -1;
    }
    return undefined;
  }

  /** Bit n of byte m is block 8·m + n, whatever the order of bytes of the machine; trailing zero bytes are left out. */
  toBase64(): string {
    const bits = Buffer.alloc((this.last >> 3) + 1);
    for (let byte = 0; byte < bits.length; byte += 1) bits[byte] = this.word(byte >> 2) >>> (8 * (byte & 3));
    return bits.toString('base64');
  }

  private grow(words: number): void {
    const larger = new Int32Array(Math.max(words, this.words.length * 2));
    larger.set(this.words);
    this.words = larger;
  }
}

/** How many bits of a word are set. */
export function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
