import type { Attestation } from '@cdk8s-dragonfly/protocol';
import { lent } from '@cdk8s-dragonfly/store';
import type { BlockBuffers, LentBlock } from '@cdk8s-dragonfly/store';

/** Who is given a block while it arrives. */
export interface Follower {
  /** Whether it has passed on what it was given: more would only wait. */
  isReady(): boolean;
  /** The next bytes. */
  more(part: LentBlock): void;
  /** The last bytes, and the attestation of all. */
  whole(rest: LentBlock, attestation: Attestation): void;
  /** It does not come to its end. */
  gone(): void;
}

interface Entry {
  readonly follower: Follower;
  /** How many bytes it was given. */
  taken: number;
}

/** So many bytes are passed on at a time, at least: smaller parts cost more than the time that they save. */
const PART = 128 * 1024;

/**
 * The block of a blob that is arriving from its origin, and the one after it, for those who take them as they come. A daemon that got only whole
 * blocks would be behind the origin by one for each of its downloads, and so later than without us by as much.
 */
export class ArrivingBlocks {
  /** The block that is arriving; undefined while the origin gives nothing. */
  private at: number | undefined;
  private count = 0;
  /** What is here of the block that is arriving. */
  private growing: { readonly index: number; readonly bytes: Buffer } | undefined;
  private readonly followers = new Map<number, Entry>();

  /** @param buffers memory for what followers are given. */
  constructor(private readonly buffers: BlockBuffers) {}

  /**
   * Has somebody follow a block.
   *
   * @returns what ends that; undefined when the block is not about to arrive, or somebody follows it already.
   */
  follow(index: number, follower: Follower): (() => void) | undefined {
    const { at, followers } = this;
    if (at === undefined || index < at || index > at + 1 || index >= this.count || followers.has(index))
      return undefined;
    const entry: Entry = { follower, taken: 0 };
    followers.set(index, entry);
    // The origin may stand still just now.
    if (this.growing?.index === index) this.give(entry, this.growing.bytes);
    return () => {
      if (followers.get(index) === entry) followers.delete(index);
    };
  }

  /** The origin gives the blob from a block on, in order. @param end how many blocks the blob has. */
  begin(first: number, end: number): void {
    this.at = first;
    this.count = end;
  }

  /** More of a block is here. @param bytes all of it so far; they stay the caller's, and stay until it is whole or the origin gives no more. */
  grew(index: number, bytes: Buffer): void {
    this.growing = { index, bytes };
    const entry = this.followers.get(index);
    if (entry !== undefined) this.give(entry, bytes);
  }

  /** A block is here. @param bytes all of it; they stay the caller's. */
  came(index: number, bytes: Buffer, attestation: Attestation): void {
    this.growing = undefined;
    if (this.at === undefined) return;
    this.at = index + 1;
    const entry = this.followers.get(index);
    if (entry === undefined) return;
    this.followers.delete(index);
    entry.follower.whole(this.copyOf(bytes.subarray(entry.taken)), attestation);
  }

  /** The origin gives no more for now. */
  end(): void {
    this.at = undefined;
    this.growing = undefined;
    const left = [...this.followers.values()];
    this.followers.clear();
    for (const { follower } of left) follower.gone();
  }

  private give(entry: Entry, bytes: Buffer): void {
    if (bytes.length - entry.taken < PART || !entry.follower.isReady()) return;
    const part = this.copyOf(bytes.subarray(entry.taken));
    entry.taken = bytes.length;
    entry.follower.more(part);
  }

  /** The memory of a block may be used for another before a slow connection has passed it on. */
  private copyOf(bytes: Buffer): LentBlock {
    const copy = this.buffers.take(bytes.length);
    bytes.copy(copy);
    return lent(copy, () => this.buffers.giveBack(copy));
  }
}
