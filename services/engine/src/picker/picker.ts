import type { BlockSet, Share } from '@cdk8s-dragonfly/protocol';

/** Where blocks can be had from right now. */
export interface PickSource {
  readonly id: string;
  readonly kind: 'supernode' | 'peer';
  /** The blocks that it says it has. */
  readonly has: BlockSet;
  /** How many more blocks may be asked of it now. */
  readonly free: number;
}

/** A block that has been asked for and has not arrived. */
export interface Flight {
  readonly block: number;
  readonly source: string;
  /** When it was asked for, in milliseconds of the picker's clock. */
  readonly since: number;
}

/** All that the choice depends on. Times are in milliseconds of one clock. */
export interface PickState {
  readonly now: number;
  /** Makes the choice among equals; another number each time. */
  readonly seed: number;
  /** What is on disk. */
  readonly held: BlockSet;
  /** How many blocks the blob has; undefined while that is not known. Whatever sources say, there are none behind. */
  readonly end?: number | undefined;
  readonly flights: readonly Flight[];
  readonly sources: readonly PickSource[];
  /** The block that the runtime reads next. */
  readonly cursor: number;
  /** What to take from the supernode first; undefined while it has not said. */
  readonly share: Share | undefined;
  /** When a block last came from a peer or out of the share. */
  readonly swarmProgress: number;
  readonly limits: PickLimits;
}

export interface PickLimits {
  /** How many blocks may be under way in all. Those that are late do not count: they must not keep others from bringing blocks. */
  readonly flights: number;
  /** How long the swarm may bring nothing before blocks outside the share are asked of the supernode. */
  readonly patience: number;
  /** How long a block may be under way before it is late, and is asked of another source as well. */
  readonly hedgeAfter: number;
}

/** A block to ask a source for, now. */
export interface Pick {
  readonly block: number;
  readonly source: string;
}

/** So many blocks before the runtime's cursor are wanted in order; behind them the rarest come first. */
const URGENT = 4;

/** So many missing blocks are looked at in one choice, which bounds its cost for large blobs. */
const HORIZON = 256;

/**
 * Chooses the next blocks and their sources. Pure.
 *
 * From peers: what the runtime reads next, then the rarest among the neighbours. From the supernode: the share; any other block only
 * while the swarm brings nothing, so that the supernode sends each block about once. A block that is long under way is asked of a
 * second source when one has nothing else to give.
 */
export function pick(state: PickState): Pick[] {
  const picks: Pick[] = [];
  const underWay = new Map<number, Flight[]>();
  for (const flight of state.flights) {
    const others = underWay.get(flight.block);
    if (others === undefined) underWay.set(flight.block, [flight]);
    else others.push(flight);
  }
  const wanted = missing(state, underWay);
  const chosen = new Set<number>();
  let room = state.limits.flights - state.flights.filter((flight) => !isLate(flight, state)).length;
  const free = new Map(state.sources.map((source) => [source.id, source.free]));
  // Round robin, one block a source and round: no neighbour is loaded while another idles.
  for (let active = inTurn(state); active.length > 0 && room > 0;) {
    const still: PickSource[] = [];
    for (const source of active) {
      const left = free.get(source.id) ?? 0;
      if (left <= 0 || room <= 0) continue;
      const block = best(source, wanted, chosen, state) ?? hedge(source, underWay, chosen, state);
      if (block === undefined) continue;
      chosen.add(block);
      picks.push({ block, source: source.id });
      free.set(source.id, left - 1);
      room -= 1;
      still.push(source);
    }
    active = still;
  }
  return picks;
}

interface Wanted {
  readonly block: number;
  /** How many neighbours have it. */
  readonly holders: number;
  /** Decides among equals. */
  readonly lot: number;
}

/** The missing blocks that somebody has and nobody was asked for, from the cursor on and then from the beginning. */
function missing(state: PickState, underWay: ReadonlyMap<number, unknown>): Wanted[] {
  const peers = state.sources.filter(({ kind }) => kind === 'peer');
  const supernodes = state.sources.filter(({ kind }) => kind === 'supernode');
  const last = Math.min(Math.max(-1, ...state.sources.map(({ has }) => has.last)), (state.end ?? Infinity) - 1);
  const wanted: Wanted[] = [];
  const look = (from: number, to: number): void => {
    for (let block = state.held.firstMissing(from); block < to && wanted.length < HORIZON;) {
      const holders = peers.reduce((sum, { has }) => sum + (has.has(block) ? 1 : 0), 0);
      if (!underWay.has(block) && (holders > 0 || supernodes.some(({ has }) => has.has(block)))) {
        wanted.push({ block, holders, lot: lotOf(block, state.seed) });
      }
      block = state.held.firstMissing(block + 1);
    }
  };
  look(state.cursor, last + 1);
  look(0, Math.min(state.cursor, last + 1));
  return wanted;
}

function best(
  source: PickSource,
  wanted: readonly Wanted[],
  chosen: ReadonlySet<number>,
  state: PickState,
): number | undefined {
  let found: Wanted | undefined;
  for (const candidate of wanted) {
    if (chosen.has(candidate.block) || !source.has.has(candidate.block)) continue;
    if (source.kind === 'supernode' && !mayAskSupernode(candidate, state)) continue;
    if (found === undefined || comesBefore(candidate, found, source, state)) found = candidate;
  }
  return found?.block;
}

function mayAskSupernode({ block, holders }: Wanted, state: PickState): boolean {
  if (inShare(block, state.share)) return true;
  const peers = state.sources.some(({ kind }) => kind === 'peer');
  if (!peers && state.share === undefined) return true;
  return holders === 0 && state.now - state.swarmProgress > state.limits.patience;
}

function comesBefore(one: Wanted, other: Wanted, source: PickSource, state: PickState): boolean {
  const urgency = rank(one, state) - rank(other, state);
  if (urgency !== 0) return urgency < 0;
  if (source.kind === 'supernode') return one.block < other.block;
  return one.holders === other.holders ? one.lot < other.lot : one.holders < other.holders;
}

/** The next few blocks of the runtime in their order, before all others. */
function rank({ block }: Wanted, { cursor }: PickState): number {
  return block >= cursor && block < cursor + URGENT ? block - cursor : URGENT;
}

function inShare(block: number, share: Share | undefined): boolean {
  return share !== undefined && share !== null && block % share.count === share.index;
}

/** The block that has been under way longest from other sources, if it is late from each of them. */
function hedge(
  source: PickSource,
  underWay: ReadonlyMap<number, readonly Flight[]>,
  chosen: ReadonlySet<number>,
  state: PickState,
): number | undefined {
  let found: Flight | undefined;
  for (const [block, flights] of underWay) {
    const [flight] = flights;
    if (flight === undefined || chosen.has(block) || !source.has.has(block)) continue;
    if (flights.some((other) => other.source === source.id || !isLate(other, state))) continue;
    if (found === undefined || flight.since < found.since) found = flight;
  }
  return found?.block;
}

function isLate({ since }: Flight, { now, limits }: PickState): boolean {
  return now - since >= limits.hedgeAfter;
}

/** The sources that may be asked, in an order that changes with the seed. */
function inTurn(state: PickState): PickSource[] {
  const asked = state.sources.filter(({ free }) => free > 0);
  const start = asked.length === 0 ? 0 : lotOf(asked.length, state.seed) % asked.length;
  return [...asked.slice(start), ...asked.slice(0, start)];
}

function lotOf(block: number, seed: number): number {
  return Math.imul((block + 1) ^ seed, 0x9e3779b1) >>> 0;
}
