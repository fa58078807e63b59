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

/** A neighbour gets a block so often whatever is short here, in milliseconds. */
const AT_LEAST_EVERY = 50;

/** What is not used up at once is not saved for later, but for so many bytes. */
const MOST_CREDIT = 8 * BLOCK;

/** Bytes from the own store cost about as much as those for a neighbour, those that come from elsewhere many times as much. */
const LOCAL_COUNTS = 0.25;

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
 * from them: while this process has the CPU and no time left. Then neighbours get as many bytes as own pulls receive, and no more: in a herd
 * each node gives as much as it takes, and a node that only gives to others does its own work. Where time is left, or others have the CPU,
 * nothing is held back. Pure, but for what it remembers.
 */
export class Precedence {
  private last: NodeState | undefined;
  private isShort = false;
  private ownAt = -Infinity;
  private credit = 0;
  private gaveAt = -Infinity;

  /** Whether the next block may be given. */
  isOpen(state: NodeState): boolean {
    this.look(state);
    const { now } = state;
    if (!this.isShort || now - this.ownAt > OWN_IS_IDLE) return true;
    return this.credit >= BLOCK || now - this.gaveAt >= AT_LEAST_EVERY;
  }

  /** A block is being given. */
  gave(now: number): void {
    this.gaveAt = now;
    this.credit = Math.max(0, this.credit - BLOCK);
  }

  private look(state: NodeState): void {
    const { last } = this;
    const passed = state.now - (last?.now ?? -Infinity);
    if (last === undefined || passed > LONGEST_SAMPLE) {
      this.last = state;
      this.isShort = false;
      return;
    }
    if (passed < SAMPLE) return;
    const own = worth(state.own) - worth(last.own);
    if (own > 0) this.ownAt = state.now;
    this.credit = Math.min(MOST_CREDIT, this.credit + own);
    this.isShort = state.busy - last.busy >= SATURATED * passed && state.cpu - last.cpu >= HAS_CPU * passed;
    this.last = state;
  }
}

function worth({ local, peer, supernode, origin }: Traffic): number {
  return LOCAL_COUNTS * local + peer + supernode + origin;
}
