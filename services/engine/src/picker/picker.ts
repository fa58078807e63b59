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
  readonly kind: PickSource['kind'];
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
  /** How many of these may be under way from peers. */
  readonly peerFlights: number;
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
  let room = state.limits.flights;
  let peerRoom = state.limits.peerFlights;
  for (const flight of state.flights) {
    if (isLate(flight, state)) continue;
    room -= 1;
    if (flight.kind === 'peer') peerRoom -= 1;
  }
  const asked = inTurn(state, peerRoom > 0);
  // Most calls come while nothing can be asked for: they look at no block.
  if (room <= 0 || asked.length === 0) return picks;
  const underWay = new Map<number, Flight[]>();
  for (const flight of state.flights) {
    const others = underWay.get(flight.block);
    if (others === undefined) underWay.set(flight.block, [flight]);
    else others.push(flight);
  }
  const wanted = missing(state, asked, underWay);
  const chosen = new Set<number>();
  const free = new Map(state.sources.map((source) => [source.id, source.free]));
  // Round robin, one block a source and round: no neighbour is loaded while another idles.
  for (let active = asked; active.length > 0 && room > 0;) {
    const still: PickSource[] = [];
    for (const source of active) {
      const left = free.get(source.id) ?? 0;
      if (left <= 0 || room <= 0 || (source.kind === 'peer' && peerRoom <= 0)) continue;
      const block = best(source, wanted, chosen, state) ?? hedge(source, underWay, chosen, state);
      if (block === undefined) continue;
      chosen.add(block);
      picks.push({ block, source: source.id });
      free.set(source.id, left - 1);
      room -= 1;
      if (source.kind === 'peer') peerRoom -= 1;
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

/** The missing blocks that nobody was asked for and that one of `asked` may give, from the cursor on and then from the beginning. */
function missing(state: PickState, asked: readonly PickSource[], underWay: ReadonlyMap<number, unknown>): Wanted[] {
  const peers = state.sources.filter(({ kind }) => kind === 'peer').map(({ has }) => has);
  const givers = asked.filter(({ kind }) => kind === 'peer' || supernodeMayGive(state)).map(({ has }) => has);
  const wanted: Wanted[] = [];
  let last = -1;
  for (const has of givers) last = Math.max(last, has.last);
  const end = Math.min(last + 1, state.end ?? Infinity);
  const look = (from: number, to: number): void => {
    // Eight blocks at a time: most are here, or cannot be had from anyone asked.
    for (let octet = from >> 3; octet * 8 < to && wanted.length < HORIZON; octet += 1) {
      let given = 0;
      for (const has of givers) given |= has.octet(octet);
      given &= ~state.held.octet(octet);
      for (let bit = 0; given >> bit !== 0 && bit < 8; bit += 1) {
        const block = octet * 8 + bit;
        if ((given & (1 << bit)) === 0 || block < from || block >= to || underWay.has(block)) continue;
        let holders = 0;
        for (const has of peers) holders += (has.octet(octet) >> bit) & 1;
        wanted.push({ block, holders, lot: lotOf(block, state.seed) });
      }
    }
  };
  look(state.cursor, end);
  look(0, Math.min(state.cursor, end));
  return wanted;
}

/** Whether the supernode may be asked for any block at all. */
function supernodeMayGive(state: PickState): boolean {
  if (state.share !== undefined && state.share !== null) return true;
  const peers = state.sources.some(({ kind }) => kind === 'peer');
  return (!peers && state.share === undefined) || state.now - state.swarmProgress > state.limits.patience;
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
function inTurn(state: PickState, askPeers: boolean): PickSource[] {
  const asked = state.sources.filter(({ free, kind }) => free > 0 && (askPeers || kind === 'supernode'));
  const start = asked.length === 0 ? 0 : lotOf(asked.length, state.seed) % asked.length;
  return [...asked.slice(start), ...asked.slice(0, start)];
}

function lotOf(block: number, seed: number): number {
  return Math.imul((block + 1) ^ seed, 0x9e3779b1) >>> 0;
}
