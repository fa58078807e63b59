import type { BlockSet } from '@cdk8s-dragonfly/protocol';

import { mayPick, pick } from '../../services/engine/src/picker/picker';
import type { Picked, PickState } from '../../services/engine/src/picker/picker';
import { CpuTime } from './cpu-time';
import { RULES } from './rules';
import { Source } from './sim-node';
import type { Flight, Pull } from './sim-node';

/** The CPU time of one choice in so many is measured: to measure costs as much as some choices do. */
const MEASURED = 16;

const NOTHING: readonly Picked[] = [];

/** What a daemon asks for, as `SwarmIntake` has it: the real picker and the real budgets. */
export class Asking {
  private calls = 0;
  private readonly measured = new CpuTime();

  constructor(
    private readonly random: () => number,
    /** A simulated block stands for so many real ones: so many fewer are under way from the supernode, so that the bytes are the same. */
    private readonly scale: number,
  ) {}

  /** CPU time that all choices took, in milliseconds. */
  get pickMs(): number {
    return this.measured.ms * MEASURED;
  }

  /** What a pull asks for now, if anything. */
  choose(now: number, pull: Pull, isServed: boolean): readonly Picked[] {
    const { node, flights, swarm, share, sources } = pull;
    const overdue = pull.hasShare ? overdueOf(now, pull) : [];
    const neighbours = sources.length - 1;
    const peers = node.budget.peers(pull);
    const hedgeAfter = lateAfter(pull);
    let late = 0;
    // They are in the order in which they were asked for.
    for (const flight of flights) {
      if (now - flight.since < hedgeAfter) break;
      if (flight.kind === 'peer') late += 1;
    }
    const forPeers = peers - pull.fromPeers + late;
    // Most news come while no more can be asked for.
    if (forPeers <= 0 && (pull.isDry || !isServed)) {
      pull.isFull = true;
      return NOTHING;
    }
    const supernode = Math.max(1, Math.round(node.budget.supernode(pull, neighbours) / this.scale));
    const room = { supernode: isServed && !pull.isDry ? supernode - pull.fromSupernode : 0, peers: forPeers };
    if (room.supernode <= 0 && room.peers <= 0) return NOTHING;
    const swarmProgress = pull.progress;
    const choice = {
      now,
      flights,
      share,
      swarmProgress,
      overdue,
      limits: {
        flights: Infinity,
        peerFlights: peers,
        patience: Math.max(RULES.patience, RULES.patienceFactor * pull.usual),
        hedgeAfter,
      },
    };
    if (!mayPick(room, choice, neighbours > 0)) return NOTHING;
    const isOnly = node.pulls.length === 1;
    const unasked = node.budget.ofPeer('', neighbours);
    for (const source of sources) {
      if (source.peer === undefined) source.free = supernode - source.busy;
      else if (now < source.pausedUntil) source.free = 0;
      // With one blob only, what is under way from a neighbour is what this pull has under way from it.
      else source.free = isOnly ? unasked - source.busy : node.budget.ofPeer(source.id, neighbours);
    }
    const state: PickState = {
      now,
      flights,
      share,
      swarmProgress,
      overdue,
      limits: choice.limits,
      seed: Math.floor(this.random() * 2 ** 32),
      held: pull.held,
      end: swarm.lengths.length,
      sources: isServed ? sources : sources.slice(1),
      cursor: pull.cursor,
    };
    const isMeasured = this.calls % MEASURED === 0;
    this.calls += 1;
    const picks = isMeasured ? this.measured.of(() => pick(state)) : pick(state);
    if (room.supernode > 0 && !picks.some(({ source }) => source === 'supernode')) pull.isDry = true;
    return picks;
  }
}

/** What the supernode has had for long. */
function overdueOf(now: number, { swarm, usual, usualOfSupernode, overdue, flights }: Pull): readonly BlockSet[] {
  // They are in the order in which they were asked for.
  const oldest = flights.find(({ kind }) => kind === 'supernode');
  const underWay = oldest === undefined ? 0 : now - oldest.since;
  const pace = usual === 0 ? Infinity : Math.max(usual, usualOfSupernode, underWay);
  return overdue.look(now, swarm.told, Math.max(RULES.overdueStep, RULES.overdueStepFactor * pace));
}

/** How long a block may be under way before it is late. */
export function lateAfter({ usual }: Pull): number {
  return Math.max(RULES.late, RULES.lateFactor * usual);
}

/** Takes a neighbour in, unless it is one already, or was dropped. */
export function addNeighbour(pull: Pull, peer: Pull): void {
  if (peer === pull || !peer.node.alive || peer.watchers.has(pull) || pull.dropped.has(peer)) return;
  pull.sources.push(new Source(peer, pull.swarm));
  peer.watchers.add(pull);
}

/** Asks it no more. */
export function dropNeighbour(pull: Pull, source: Source): void {
  const { peer } = source;
  const place = pull.sources.indexOf(source);
  if (peer === undefined || place === -1) return;
  pull.sources.splice(place, 1);
  pull.dropped.add(peer);
  peer.watchers.delete(pull);
}

/** Counts a block that was asked for, or, with -1, one that is no more under way. */
export function count(flight: Flight, by: 1 | -1): void {
  const { pull, giver } = flight;
  giver.busy += by;
  if (flight.kind === 'peer') pull.fromPeers += by;
  else pull.fromSupernode += by;
  if (by === 1) {
    pull.flights.push(flight);
    pull.node.budget.began(pull, giver.id);
  } else {
    pull.flights.splice(pull.flights.indexOf(flight), 1);
    pull.node.budget.ended(pull, giver.id);
  }
}
