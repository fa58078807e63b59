import type { Flight, Room } from '../picker/picker';
import { averaged } from './averaged';

/** A block is late when it takes so many times as long as blocks usually do, and at least {@link LATE} milliseconds. */
const LATE_FACTOR = 4;
const LATE = 1000;

/** So many blocks in a row that do not come are no chance. */
const FRUITLESS = 4;

/** A block that has been asked for and has not arrived. */
export interface ActiveFlight extends Flight {
  /** Later than all times while the limit of the rate holds it back: it has not been asked for yet, and is not late. */
  since: number;
  /** Whether the supernode has yet to get it: how long that takes says nothing of the way. */
  readonly isAhead: boolean;
  readonly abort: AbortController;
}

/** The blocks of a download that are under way, and how long they take. */
export class Flights implements Iterable<ActiveFlight> {
  private readonly active = new Set<ActiveFlight>();
  /** How long blocks usually take, in milliseconds. */
  private usually = 0;
  /** And those from the supernode, which may have less to give. */
  private usuallyFromSupernode = 0;
  /** How many did not come since one came. */
  private failures = 0;

  get count(): number {
    return this.active.size;
  }

  get usual(): number {
    return this.usually;
  }

  /**
   * How long blocks take, or those from the supernode when these take longer, with those that are under way: what neighbours brought before its first
   * came tells nothing of it. Infinity while none has come.
   */
  pace(now: number): number {
    if (this.usually === 0) return Infinity;
    let pace = Math.max(this.usually, this.usuallyFromSupernode);
    for (const { kind, isAhead, since } of this.active) {
      // Behind the limit of the rate, none has been asked for: since is Infinity.
      if (kind === 'supernode' && !isAhead) pace = Math.max(pace, now - since);
    }
    return pace;
  }

  /** How long a block may be under way before it is late, in milliseconds. */
  get lateAfter(): number {
    return Math.max(LATE, LATE_FACTOR * this.usually);
  }

  /** Whether the limit of the rate keeps some from being asked for. */
  get areHeldBack(): boolean {
    for (const { since } of this.active) if (since === Infinity) return true;
    return false;
  }

  /** Whether what is asked for does not come: it is not the limit of the rate that nothing comes for. */
  get areFruitless(): boolean {
    return this.failures >= FRUITLESS;
  }

  [Symbol.iterator](): Iterator<ActiveFlight> {
    return this.active.values();
  }

  begin(flight: ActiveFlight): void {
    this.active.add(flight);
  }

  /** A block did not come. */
  failed(): void {
    this.failures += 1;
  }

  end(flight: ActiveFlight): void {
    this.active.delete(flight);
  }

  /** Those that are late. */
  late(): ActiveFlight[] {
    const before = performance.now() - this.lateAfter;
    return [...this.active].filter(({ since }) => since <= before);
  }

  /** Whether a block is under way. `late`: it is, and takes so long from all who are asked for it that others are asked as well. */
  stateOf(block: number): 'none' | 'coming' | 'late' {
    let state: 'none' | 'late' = 'none';
    for (const flight of this.active) {
      if (flight.block !== block) continue;
      if (performance.now() - flight.since < this.lateAfter) return 'coming';
      state = 'late';
    }
    return state;
  }

  /** When the next of them is late, if none comes; Infinity when no more will be. */
  nextLate(now: number): number {
    const { lateAfter } = this;
    let next = Infinity;
    for (const { since } of this.active) if (now - since < lateAfter) next = Math.min(next, since + lateAfter);
    return next;
  }

  /** How many more blocks may be asked for. */
  roomIn({ supernode, peers }: Room): Room {
    const lateBefore = performance.now() - this.lateAfter;
    let fromSupernode = 0;
    let fromPeers = 0;
    for (const { kind, since } of this.active) {
      if (kind === 'supernode') fromSupernode += 1;
      else if (since > lateBefore) fromPeers += 1;
    }
    return { supernode: supernode - fromSupernode, peers: peers - fromPeers };
  }

  /** A block has come. @returns the others that were to bring it, and which of them are late. */
  arrived(flight: ActiveFlight): readonly { readonly other: ActiveFlight; readonly isLate: boolean }[] {
    this.failures = 0;
    const took = performance.now() - flight.since;
    if (!flight.isAhead) {
      this.usually = averaged(this.usually, took);
      if (flight.kind === 'supernode') this.usuallyFromSupernode = averaged(this.usuallyFromSupernode, took);
    }
    const late = new Set(this.late());
    return [...this.active]
      .filter((other) => other !== flight && other.block === flight.block)
      .map((other) => ({ other, isLate: late.has(other) }));
  }

  /** Gives all up. */
  abort(reason: Error): void {
    for (const { abort } of this.active) abort.abort(reason);
  }
}
