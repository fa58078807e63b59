import type { BlockSet, Share } from '@cdk8s-dragonfly/protocol';

import { Wanted } from './wanted';
import type { SupernodeRule } from './wanted';

/** Where blocks can be had from right now. */
export interface PickSource {
  readonly id: string;
  readonly kind: 'supernode' | 'peer';
  /** The blocks that it says it has. */
  readonly has: BlockSet;
  /** How many more blocks may be asked of it now. */
  readonly free: number;
  /** How long its blocks took lately, for their length; 0: it has given none. Default 0. */
  readonly pace?: number;
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
  /** What the supernode has had for long, for longer, and so on (see `Overdue`): of that, what no neighbour has is in wider shares when little is missing. Default: nothing. */
  readonly overdue?: readonly BlockSet[] | undefined;
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

/** What decides what the supernode may be asked for. */
type RuledBy = Pick<PickState, 'now' | 'share' | 'swarmProgress' | 'overdue' | 'limits'>;

/** A block to ask a source for, now. */
export interface Picked {
  readonly block: number;
  readonly source: string;
}

/** So many blocks before the runtime's cursor are wanted in order; behind them the rarest come first. */
const URGENT = 4;

/** About so many missing blocks are looked at in one choice, which bounds its cost for large blobs. */
export const HORIZON = 256;

/** In one of so many choices it is chance who is asked first, and not how fast sources are. */
const BY_CHANCE = 8;

/** How many more blocks may be asked for now; those that are late do not count as under way. */
export interface Room {
  readonly supernode: number;
  readonly peers: number;
}

/**
 * Whether {@link pick} could choose anything, as far as can be told without a look at the blocks: news come often, and most come while nothing
 * can be asked for.
 *
 * @param hasPeers whether any neighbour may be asked.
 */
export function mayPick(
  { supernode, peers }: Room,
  state: RuledBy & Pick<PickState, 'flights'>,
  hasPeers: boolean,
): boolean {
  if (peers > 0 && hasPeers) return true;
  return (
    supernode > 0 &&
    (supernodeRule(state, hasPeers) !== undefined || state.flights.some((flight) => isLate(flight, state)))
  );
}

/**
 * Chooses the next blocks and their sources. Pure.
 *
 * Who gave blocks faster lately is asked first: whoever is asked by many, or has a narrow link, gives slowly, and is left to those who have nobody
 * else. So nobody has to say how busy it is, and all ways out of the swarm are used alike. One that has given nothing is asked before all others; and
 * now and then chance says who is first: a slow one, too, has blocks that nobody else has, which must not be the last ones.
 *
 * From peers: what the runtime reads next, then the rarest among the neighbours. From the supernode: the share; any other block only
 * while the swarm brings nothing, or when it is overdue and little is missing, so that the supernode sends each block about once. A block that is long under way is asked of a
 * second source when one has nothing else to give.
 */
export function pick(state: PickState): Picked[] {
  const picks: Picked[] = [];
  const { limits, flights, sources, seed } = state;
  let room = limits.flights;
  let peerRoom = limits.peerFlights;
  const late: Flight[] = [];
  for (const flight of flights) {
    if (isLate(flight, state)) {
      late.push(flight);
      continue;
    }
    room -= 1;
    if (flight.kind === 'peer') peerRoom -= 1;
  }
  const peers: BlockSet[] = [];
  for (const { kind, has } of sources) if (kind === 'peer') peers.push(has);
  const rule = supernodeRule(state, peers.length > 0);
  const asked: PickSource[] = [];
  const givers: BlockSet[] = [];
  let supernode: BlockSet | undefined;
  for (const source of sources) {
    if (source.free <= 0) continue;
    if (source.kind === 'peer') {
      if (peerRoom <= 0) continue;
      givers.push(source.has);
    } else if (rule !== undefined) supernode = source.has;
    else if (late.length === 0) continue;
    asked.push(source);
  }
  // Many calls come while nothing can be asked for: they look at no block.
  if (room <= 0 || asked.length === 0) return picks;
  const wanted = new Wanted({
    held: state.held,
    givers,
    supernode: rule === undefined || supernode === undefined ? undefined : { ...rule, has: supernode },
    peers,
    underWay: flights,
    cursor: state.cursor,
    end: state.end,
    most: HORIZON,
  });
  const lot = (block: number): number => lotOf(block, seed);
  const best = ({ kind, has }: PickSource): number | undefined =>
    kind === 'supernode'
      ? (wanted.fromSupernode(has) ?? wanted.overdue(has, lot))
      : (wanted.urgent(has, state.cursor, state.cursor + URGENT) ?? wanted.rarest(has, lot));
  const inOrder = ordered(asked, seed);
  const left = inOrder.map(({ free }) => free);
  // One block a source and round: no neighbour is loaded while another idles.
  for (let goesOn = true; goesOn && room > 0;) {
    goesOn = false;
    for (const [index, source] of inOrder.entries()) {
      if (room <= 0) break;
      const free = left[index] ?? 0;
      if (free <= 0 || (source.kind === 'peer' && peerRoom <= 0)) continue;
      const block = best(source) ?? hedge(source, late, state, picks);
      left[index] = block === undefined ? 0 : free - 1;
      if (block === undefined) continue;
      wanted.take(block);
      picks.push({ block, source: source.id });
      room -= 1;
      if (source.kind === 'peer') peerRoom -= 1;
      goesOn = true;
    }
  }
  return picks;
}

/** The fastest first, and equals from a place on that chance says; in one of {@link BY_CHANCE} choices all. */
function ordered(sources: readonly PickSource[], seed: number): PickSource[] {
  const start = lotOf(sources.length, seed) % sources.length;
  const turned = [...sources.slice(start), ...sources.slice(0, start)];
  // Another number of that seed.
  if (lotOf(start, ~seed) < 2 ** 32 / BY_CHANCE) return turned;
  return turned.sort(({ pace: one = 0 }, { pace: other = 0 }) => one - other);
}

/** What the supernode may be asked for; undefined: nothing. */
function supernodeRule(
  { share, now, swarmProgress, overdue = [], limits }: RuledBy,
  hasPeers: boolean,
): SupernodeRule | undefined {
  const everything = { index: 0, count: 1 };
  if (share === undefined && !hasPeers) return { share: everything, orphans: false, overdue: [] };
  const orphans = now - swarmProgress > limits.patience;
  if (share === undefined || share === null) return orphans ? { share: undefined, orphans, overdue: [] } : undefined;
  return { share, orphans, overdue };
}

/** The block that has been under way longest from other sources, if it is late from each of them. */
function hedge(
  source: PickSource,
  late: readonly Flight[],
  { flights }: PickState,
  picks: readonly Picked[],
): number | undefined {
  let found: Flight | undefined;
  for (const flight of late) {
    const { block } = flight;
    if (!source.has.has(block) || (found !== undefined && flight.since >= found.since)) continue;
    if (picks.some((picked) => picked.block === block)) continue;
    const others = flights.filter((other) => other.block === block);
    if (others.every((other) => other.source !== source.id && late.includes(other))) found = flight;
  }
  return found?.block;
}

function isLate({ since }: Flight, { now, limits }: Pick<PickState, 'now' | 'limits'>): boolean {
  return now - since >= limits.hedgeAfter;
}

function lotOf(block: number, seed: number): number {
  return Math.imul((block + 1) ^ seed, 0x9e3779b1) >>> 0;
}
