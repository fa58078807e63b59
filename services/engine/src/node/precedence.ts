import type { Traffic } from './traffic';

/** A block of neighbours counts as so many bytes. */
const BLOCK = 1024 * 1024;

/** How busy the event loop is, is found out anew after so many milliseconds; what is older than the longest tells nothing of now. */
const SAMPLE = 20;
const LONGEST_SAMPLE = 250;

/** From this part of the time on the event loop has no room for more. */
const SATURATED = 0.9;

/**
 * And from this part on the process had the CPU while its event loop was at work. One that others keep from it looks busy too, and holding
 * blocks back gives it nothing.
 */
const HAS_CPU = 0.7;

/** Own pulls that got no byte for so many milliseconds wait for others, not for this node. */
const OWN_IS_IDLE = 250;

/** After so many milliseconds with time left nothing is held back any more. */
const FREE_AFTER = 1000;

/**
 * What neighbours are given is found by trying: after a sample without time left so many times as much, after any other so many times. So a sixth
 * of the samples have none left; given freely in between, blocks come in bursts that fill the next one whole.
 */
const SLOWER = 0.8;
const FASTER = 1.05;

/** Neighbours get so much whatever is short here, in bytes a millisecond: a block every 50 ms. */
const LEAST = BLOCK / 50;

/** The weight of a sample in what is usually given. */
const NEWEST = 0.2;

/** What is not used up at once is not saved for later, but for so many bytes. */
const MOST_SAVED = 4 * BLOCK;

/** What own pulls get from their neighbours counts whole, all else as so much: it is nothing that neighbours have to be given back. */
const OTHERS_COUNT = 0.25;

/** How things stand. */
export interface NodeState {
  /** In milliseconds, of a clock that does not jump. */
  readonly now: number;
  /** How long the event loop has worked since the process began, in milliseconds; what it waited for the CPU counts. */
  readonly busy: number;
  /** CPU time of the process since it began, in milliseconds. */
  readonly cpu: number;
  /** Bytes that the node's own pulls got since then. */
  readonly own: Traffic;
}

/**
 * Whether neighbours may be given something now, or the node's own pulls come first. They come first only where neighbours can take something
 * from them: while this process has the CPU and no time left. Then neighbours get what leaves some time, and in any case as many bytes as own
 * pulls receive from neighbours: in a herd each node gives what it takes of the others, and who takes without giving waits. Where time is left,
 * which is so when all hold back, or others have the CPU, nothing is held back. Pure, but for what it remembers.
 */
export class Precedence {
  private last: NodeState | undefined;
  private ownAt = -Infinity;
  private shortAt = -Infinity;
  /** What neighbours are given, in bytes a millisecond. Infinity: nothing is held back. */
  private rate = Infinity;
  /** And what they were given lately. */
  private usual = 0;
  private given = 0;
  private saved = 0;

  /** Whether the next block may be given. */
  isOpen(state: NodeState): boolean {
    this.look(state);
    return this.rate === Infinity || this.saved >= BLOCK;
  }

  /** A block is being given. */
  gave(): void {
    this.given += BLOCK;
    this.saved = Math.max(0, this.saved - BLOCK);
  }

  private look(state: NodeState): void {
    const { last } = this;
    const passed = state.now - (last?.now ?? -Infinity);
    if (last !== undefined && passed < SAMPLE) return;
    this.last = state;
    if (last === undefined || passed > LONGEST_SAMPLE) {
      this.rate = Infinity;
      this.usual = 0;
    } else this.adjust(state, last, passed);
    this.given = 0;
  }

  private adjust(state: NodeState, last: NodeState, passed: number): void {
    const { now } = state;
    const own = worth(state.own) - worth(last.own);
    if (own > 0) this.ownAt = now;
    this.usual += NEWEST * (this.given / passed - this.usual);
    const isShort = state.busy - last.busy >= SATURATED * passed && state.cpu - last.cpu >= HAS_CPU * passed;
    if (isShort) this.shortAt = now;
    if (now - this.ownAt > OWN_IS_IDLE || now - this.shortAt > FREE_AFTER) this.rate = Infinity;
    else if (isShort) this.rate = Math.max(LEAST, SLOWER * (this.rate === Infinity ? this.usual : this.rate));
    else this.rate *= FASTER;
    this.saved = this.rate === Infinity ? 0 : Math.min(MOST_SAVED, this.saved + this.rate * passed + own);
  }
}

function worth({ local, peer, supernode, origin }: Traffic): number {
  return peer + OTHERS_COUNT * (local + supernode + origin);
}
