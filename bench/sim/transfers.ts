import { averaged } from '../../services/engine/src/download/averaged';
import { Asking, count, dropNeighbour, lateAfter } from './asking';
import { Flying } from './flying';
import { RULES } from './rules';
import { Flight } from './sim-node';
import type { Node, Pull, Source } from './sim-node';
import { HAPPENS } from './world';
import type { World } from './world';

const MIB = 1024 * 1024;

/** Blocks on their way: asked for, waiting for a turn, leaving, arriving, or given up. */
export class Transfers {
  readonly flying: Flying;
  private readonly asking: Asking;

  constructor(private readonly world: World) {
    this.flying = new Flying(world.queue);
    this.asking = new Asking(world.random, world.scenario.block / MIB);
  }

  /** CPU time that all choices of blocks took, in milliseconds. */
  get pickMs(): number {
    return this.asking.pickMs;
  }

  /** What a pull can not ask for now is asked at the next arrival or news. */
  askFor(pull: Pull): void {
    const { now, supernode } = this.world;
    if (!pull.node.alive || !Number.isNaN(pull.ended) || Number.isNaN(pull.joined)) return;
    const picks = this.asking.choose(now, pull, supernode.alive && pull.swarm.told.count > 0);
    for (const { block, source } of picks) {
      const giver = pull.sources.find(({ id }) => id === source);
      if (giver !== undefined) this.ask(pull, block, giver);
    }
  }

  /** A request has come to who shall give the block. */
  wasAsked(flight: Flight | undefined): void {
    if (flight === undefined) return;
    const { now } = this.world;
    flight.serving.ask(now, flight);
    if (flight.giver.peer !== undefined && Number.isNaN(flight.servedSince)) {
      this.flying.until(now + RULES.daemonWaits, HAPPENS.refuse, flight);
    }
  }

  /** A neighbour whose turn has not come in time is told to ask others. */
  refuse(flight: Flight | undefined): void {
    if (flight === undefined || !Number.isNaN(flight.servedSince)) return;
    const { now } = this.world;
    flight.serving.end(now, flight, 0);
    this.flying.until(now + this.world.wayBetween(flight.host, flight.pull.node.host), HAPPENS.refused, flight);
  }

  wasRefused(flight: Flight | undefined): void {
    if (flight === undefined) return;
    flight.giver.pausedUntil = this.world.now + RULES.pause;
    this.world.tally.refusals += 1;
    count(flight, -1);
  }

  /** The turn of a flight has come. */
  give(flight: Flight): void {
    const { pull, host, block } = flight;
    const { links, now } = this.world;
    flight.flow = links.begin(now, host, pull.node.host, pull.swarm.lengthOf(block), flight);
  }

  /** The last byte of a block has left its sender. */
  left(flight: Flight): void {
    const { serving, pull, block, host } = flight;
    const { now } = this.world;
    flight.flow = undefined;
    flight.hasLeft = true;
    serving.end(now, flight, pull.swarm.lengthOf(block));
    this.flying.until(now + this.world.wayBetween(host, pull.node.host), HAPPENS.arrived, flight);
  }

  arrived(flight: Flight | undefined): void {
    if (flight === undefined) return;
    const { pull, block, giver, since } = flight;
    const { now, tally } = this.world;
    const { node, swarm, share } = pull;
    count(flight, -1);
    tally.took(flight, swarm.lengthOf(block), pull.held.add(block));
    pull.cursor = pull.held.firstMissing(pull.cursor);
    const took = now - since;
    giver.failures = 0;
    if (giver.peer !== undefined) giver.pace = averaged(giver.pace, took / swarm.lengthOf(block));
    const before = lateAfter(pull);
    pull.usual = averaged(pull.usual, took);
    if (giver.peer === undefined) pull.usualOfSupernode = averaged(pull.usualOfSupernode, took);
    const ours = share !== undefined && share !== null && block % share.count === share.index;
    if (giver.peer !== undefined || ours) pull.progress = now;
    for (const other of pull.flights.filter((one) => one.block === block)) {
      if (now - other.since >= before) this.tooSlow(other);
      this.cancel(other);
    }
    // News wait before the links of a node and of its neighbours, which are as busy as it is.
    if (pull.news.push(block) === 1) {
      const { scenario } = this.world;
      const after = RULES.peerGather + scenario.latency + this.world.queued(node.host.up, node.host.down);
      this.world.after(after, HAPPENS.announce, this.world.numberOf(pull));
    }
    if (pull.held.count === swarm.lengths.length) this.finish(pull);
  }

  /** Nobody wants it any more. */
  readonly cancel = (flight: Flight): void => {
    const { pull, flow, hasLeft, serving, block } = flight;
    const { links, now, tally } = this.world;
    flight.cancelled = true;
    count(flight, -1);
    flight.flow = undefined;
    if (hasLeft) tally.wasted += pull.swarm.lengthOf(block);
    else if (flow !== undefined) tally.wasted += pull.swarm.lengthOf(block) - links.cancel(now, flow);
    serving.end(now, flight, 0);
  };

  /** Whom it was asked of is gone. */
  readonly fail = (flight: Flight): void => {
    if (!flight.cancelled) this.cancel(flight);
    flight.pull.isDry = false;
    this.world.pump(flight.pull);
  };

  private ask(pull: Pull, block: number, giver: Source): void {
    const { peer } = giver;
    const { world } = this;
    const { serving, host } = peer === undefined ? world.supernode : peer.node;
    const flight = new Flight(pull, block, giver, world.now, serving, host);
    count(flight, 1);
    if (peer === undefined) world.tally.supernodeRequests += 1;
    this.flying.until(world.now + world.wayBetween(pull.node.host, host), HAPPENS.asked, flight);
  }

  private finish(pull: Pull): void {
    const { node } = pull;
    pull.ended = this.world.now;
    for (const other of [...pull.flights]) this.cancel(other);
    node.budget.close(pull);
    if (hasAll(node)) {
      node.ended = this.world.now;
      this.world.unfinished -= 1;
    }
  }

  /** Another brought the block that this one is late with. */
  private tooSlow({ pull, block, giver, since }: Flight): void {
    giver.failures += 1;
    if (giver.peer !== undefined) {
      giver.pace = averaged(giver.pace, (this.world.now - since) / pull.swarm.lengthOf(block));
    }
    if (giver.failures >= RULES.maxFailures) dropNeighbour(pull, giver);
  }
}

function hasAll({ pulls }: Node): boolean {
  return pulls.every(({ ended }) => !Number.isNaN(ended));
}
