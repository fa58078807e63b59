import type { PlacementDecision, PlacementEvent } from '../../services/supernode/src/placement/placement';
import { seededRandom } from '../../services/supernode/src/placement/random';
import { Asking, addNeighbour, count, dropNeighbour, lateAfter } from './asking';
import { EventQueue } from './event-queue';
import { die, lose } from './faults';
import type { Hands } from './faults';
import { Flying } from './flying';
import { Links } from './links';
import type { Host } from './links';
import { RULES } from './rules';
import { blockLengths, lowerBound } from './scenario';
import type { Scenario } from './scenario';
import { Serving } from './serving';
import { Flight, Node, Pull } from './sim-node';
import type { Source } from './sim-node';
import { Supernode } from './supernode';
import type { Fetch } from './supernode';
import { Swarm } from './swarm';
import { Tally } from './tally';
import type { SimResult } from './tally';

const MIB = 1024 * 1024;

/** The kinds of events, as places in the table of what they do. */
const HAPPENS = {
  begin: 0,
  join: 1,
  asked: 2,
  arrived: 3,
  announce: 4,
  supernodeAnnounce: 5,
  fetch: 6,
  tick: 7,
  die: 8,
  noticed: 9,
  lost: 10,
  takenOver: 11,
  refuse: 12,
  refused: 13,
} as const;

/** A swarm of each blob of an image: the real placement, picker and budgets on simulated links. */
export class SwarmSim {
  private readonly queue = new EventQueue();
  private readonly links = new Links<Flight | Fetch>();
  private readonly random: () => number;
  private readonly nodes: Node[] = [];
  private readonly flying = new Flying(this.queue);
  private readonly hands: Hands = {
    cancel: (flight) => this.cancel(flight),
    fail: (flight) => this.fail(flight),
  };
  /** Pulls that are to ask for blocks. */
  private readonly awake: Pull[] = [];
  private readonly swarms: readonly Swarm[];
  private readonly origin: Host<Flight | Fetch>;
  private supernode: Supernode;
  private readonly asking: Asking;
  private readonly tally = new Tally();
  private now = 0;
  private unfinished = 0;

  /** In the order of {@link HAPPENS}. */
  private readonly handlers: readonly ((subject: number) => void)[] = [
    (node) => this.begin(this.node(node)),
    (node) => this.join(this.node(node)),
    (place) => this.wasAsked(this.flying.landed(place)),
    (place) => this.arrived(this.flying.landed(place)),
    (pull) => this.announce(this.pull(pull)),
    (swarm) => this.supernodeAnnounce(this.swarm(swarm)),
    (swarm) => this.fetch(this.swarm(swarm)),
    (node) => this.tick(this.node(node)),
    (node) => this.die(this.node(node)),
    (node) => this.noticed(this.node(node)),
    () => this.loseSupernode(),
    () => this.takeOver(),
    (place) => this.refuse(this.flying.landed(place)),
    (place) => this.wasRefused(this.flying.landed(place)),
  ];

  constructor(private readonly scenario: Scenario) {
    const { seed, blobs = 1, block, originRate } = scenario;
    this.random = seededRandom(seed);
    this.asking = new Asking(this.random, block / MIB);
    const lengths = blockLengths(scenario);
    this.swarms = Array.from({ length: blobs }, (_, number) => new Swarm(number, lengths));
    this.origin = this.links.add({ up: originRate, down: originRate });
    this.supernode = this.newSupernode();
  }

  run(): SimResult {
    const { scenario, queue, links } = this;
    const { nodes, spread, churn = 0, lostAt } = scenario;
    for (let number = 0; number < nodes; number += 1) {
      const node = this.addNode();
      const at = spread * this.random();
      queue.push(at, HAPPENS.begin, node.number);
      if (this.random() < churn) queue.push(at + this.random() * lowerBound(scenario), HAPPENS.die, node.number);
    }
    if (lostAt !== undefined) queue.push(lostAt, HAPPENS.lost, 0);
    const limit = 100 * lowerBound(scenario) + 600_000;
    const take = (_time: number, kind: number, subject: number): void => this.handlers[kind]?.(subject);
    while (this.unfinished > 0 && this.now < limit) {
      const end = links.nextEnd;
      const next = queue.nextTime;
      if (end === Infinity && next === Infinity) break;
      this.now = Math.max(this.now, Math.min(end, next));
      if (end < next) this.ended();
      else queue.pop(take);
      this.askAll();
      links.settle(this.now);
    }
    const { pickMs } = this.asking;
    return this.tally.result({ scenario, nodes: this.nodes, unfinished: this.unfinished, pickMs, end: this.now });
  }

  private newSupernode(): Supernode {
    const { supernodeRate } = this.scenario;
    const host = this.links.add({ up: supernodeRate, down: supernodeRate });
    return new Supernode(host, new Serving(RULES.supernodeEach, (flight) => this.give(flight)));
  }

  private addNode(): Node {
    const { zones = 1, slow = 0, nodeRate } = this.scenario;
    const number = this.nodes.length;
    const rate = this.random() < slow ? nodeRate / 10 : nodeRate;
    const zone = zones > 1 ? `zone-${number % zones}` : undefined;
    const host = this.links.add({ up: rate, down: rate });
    const node = new Node(number, host, zone, new Serving(RULES.peerEach, (flight) => this.give(flight)));
    this.nodes.push(node);
    for (const swarm of this.swarms) {
      const pull: Pull = new Pull(node, swarm, () => this.pump(pull));
      node.pulls.push(pull);
      swarm.byCid.set(node.cid, pull);
    }
    this.unfinished += 1;
    return node;
  }

  private begin(node: Node): void {
    if (!node.alive) return;
    node.began = this.now;
    this.queue.push(this.now + (this.scenario.lead ?? 0), HAPPENS.join, node.number);
  }

  private join(node: Node): void {
    if (!node.alive) return;
    for (const pull of node.pulls) {
      pull.joined = this.now;
      pull.progress = this.now;
      this.register(pull);
    }
    this.queue.push(this.now + RULES.tick, HAPPENS.tick, node.number);
  }

  private register(pull: Pull): void {
    if (!this.supernode.alive) return;
    const { swarm, node } = pull;
    this.tally.supernodeRequests += 2;
    if (!swarm.isFetching) {
      swarm.isFetching = true;
      this.queue.push(this.now + (this.scenario.originLatency ?? 0), HAPPENS.fetch, swarm.number);
    }
    const member = { cid: node.cid, ip: '10.0.0.1', port: 15_001, zone: node.zone };
    this.place(swarm, { type: 'join', member, seed: this.seed() });
  }

  private place(swarm: Swarm, event: PlacementEvent): void {
    const began = performance.now();
    const decisions = swarm.placement.apply(event);
    this.tally.placementMs += performance.now() - began;
    for (const decision of decisions) this.hear(swarm, decision);
  }

  private hear(swarm: Swarm, decision: PlacementDecision): void {
    const pull = swarm.byCid.get(decision.cid);
    if (pull?.node.alive !== true) return;
    pull.isDry = false;
    if (decision.type === 'share') pull.share = decision.share;
    else {
      for (const { cid } of decision.peers) {
        const peer = swarm.byCid.get(cid);
        if (peer !== undefined) addNeighbour(pull, peer);
      }
    }
    this.pump(pull);
  }

  /** Has a pull ask for blocks when all that happens now has happened, as the real node does. */
  private pump(pull: Pull): void {
    if (pull.isAwake) return;
    pull.isAwake = true;
    this.awake.push(pull);
  }

  private askAll(): void {
    const { awake } = this;
    for (let index = 0; index < awake.length; index += 1) {
      const pull = at(awake, index, 'pull');
      pull.isAwake = false;
      this.askFor(pull);
    }
    awake.length = 0;
  }

  /** What it can not ask for now is asked at the next arrival or news. */
  private askFor(pull: Pull): void {
    if (!pull.node.alive || !Number.isNaN(pull.ended) || Number.isNaN(pull.joined)) return;
    const picks = this.asking.choose(this.now, pull, this.supernode.alive && pull.swarm.told.count > 0);
    for (const { block, source } of picks) {
      const giver = pull.sources.find(({ id }) => id === source);
      if (giver !== undefined) this.ask(pull, block, giver);
    }
  }

  private ask(pull: Pull, block: number, giver: Source): void {
    const { peer } = giver;
    const { serving, host } = peer === undefined ? this.supernode : peer.node;
    const flight = new Flight(pull, block, giver, this.now, serving, host);
    count(flight, 1);
    if (peer === undefined) this.tally.supernodeRequests += 1;
    this.flying.until(this.now + this.wayBetween(pull.node.host, host), HAPPENS.asked, flight);
  }

  /** How long a packet takes from one host to another. */
  private wayBetween(from: Host<Flight | Fetch>, to: Host<Flight | Fetch>): number {
    const { latency, queue = 0 } = this.scenario;
    return latency + queue * ((from.up.isQueued ? 1 : 0) + (to.down.isQueued ? 1 : 0));
  }

  private wasAsked(flight: Flight | undefined): void {
    if (flight === undefined) return;
    flight.serving.ask(this.now, flight);
    if (flight.giver.peer !== undefined && Number.isNaN(flight.servedSince)) {
      this.flying.until(this.now + RULES.daemonWaits, HAPPENS.refuse, flight);
    }
  }

  /** A neighbour whose turn has not come in time is told to ask others. */
  private refuse(flight: Flight | undefined): void {
    if (flight === undefined || !Number.isNaN(flight.servedSince)) return;
    flight.serving.end(this.now, flight, 0);
    this.flying.until(this.now + this.wayBetween(flight.host, flight.pull.node.host), HAPPENS.refused, flight);
  }

  private wasRefused(flight: Flight | undefined): void {
    if (flight === undefined) return;
    flight.giver.pausedUntil = this.now + RULES.pause;
    this.tally.refusals += 1;
    count(flight, -1);
  }

  private give(flight: Flight): void {
    const { pull, host, block } = flight;
    flight.flow = this.links.begin(this.now, host, pull.node.host, pull.swarm.lengthOf(block), flight);
  }

  /** The last byte of a block has left its sender. */
  private ended(): void {
    const flow = this.links.endFirst(this.now);
    if (flow === undefined) return;
    const { cargo } = flow;
    if (!(cargo instanceof Flight)) {
      this.fetched(cargo);
      return;
    }
    const { serving, pull, block, host } = cargo;
    serving.end(this.now, cargo, pull.swarm.lengthOf(block));
    this.flying.until(this.now + this.wayBetween(host, pull.node.host), HAPPENS.arrived, cargo);
  }

  private arrived(flight: Flight | undefined): void {
    if (flight === undefined) return;
    const { pull, block, giver, since } = flight;
    const { now, tally } = this;
    const { node, swarm, share } = pull;
    count(flight, -1);
    tally.took(flight, swarm.lengthOf(block), pull.held.add(block));
    pull.cursor = pull.held.firstMissing(pull.cursor);
    giver.failures = 0;
    const before = lateAfter(pull);
    pull.usual = pull.usual === 0 ? now - since : 0.8 * pull.usual + 0.2 * (now - since);
    const ours = share !== undefined && share !== null && block % share.count === share.index;
    if (giver.peer !== undefined || ours) pull.progress = now;
    for (const other of pull.flights.filter((one) => one.block === block)) {
      if (now - other.since >= before) this.tooSlow(pull, other.giver);
      this.cancel(other);
    }
    if (pull.news.push(block) === 1) {
      const after = RULES.peerGather + this.scenario.latency + this.queued(node);
      this.queue.push(now + after, HAPPENS.announce, node.number * this.swarms.length + swarm.number);
    }
    if (pull.held.count === swarm.lengths.length) this.finish(pull);
  }

  /** How long news wait before the links of a node and of its neighbours, which are as busy as it is. */
  private queued({ host }: Node): number {
    return (this.scenario.queue ?? 0) * ((host.up.isQueued ? 1 : 0) + (host.down.isQueued ? 1 : 0));
  }

  private finish(pull: Pull): void {
    const { node } = pull;
    pull.ended = this.now;
    for (const other of [...pull.flights]) this.cancel(other);
    node.budget.close(pull);
    if (node.pulls.some(({ ended }) => Number.isNaN(ended))) return;
    node.ended = this.now;
    this.unfinished -= 1;
  }

  private cancel(flight: Flight): void {
    const { pull, flow, serving, block } = flight;
    flight.cancelled = true;
    count(flight, -1);
    if (flow !== undefined) {
      this.links.cancel(this.now, flow);
      this.tally.wasted += pull.swarm.lengthOf(block) - flow.left;
    }
    serving.end(this.now, flight, 0);
  }

  private tooSlow(pull: Pull, giver: Source): void {
    giver.failures += 1;
    if (giver.failures >= RULES.maxFailures) dropNeighbour(pull, giver);
  }

  private announce(pull: Pull): void {
    for (const block of pull.news) pull.told.add(block);
    pull.news = [];
    if (!pull.node.alive) return;
    for (const watcher of pull.watchers) this.pump(watcher);
  }

  /** Asks the origin for the next block of a blob. */
  private fetch(swarm: Swarm): void {
    const { supernode } = this;
    const bytes = swarm.lengths[swarm.held];
    if (!supernode.alive || bytes === undefined) return;
    this.links.begin(this.now, this.origin, supernode.host, bytes, { swarm, supernode, bytes });
  }

  private fetched({ swarm, supernode, bytes }: Fetch): void {
    if (supernode !== this.supernode || !supernode.alive) return;
    this.tally.originBytes += bytes;
    swarm.news.push(swarm.held);
    swarm.held += 1;
    if (swarm.news.length === 1) {
      const gather = RULES.supernodeGather + RULES.supernodeGatherAMember * swarm.placement.size;
      const queued = (this.scenario.queue ?? 0) * (supernode.host.up.isQueued ? 1 : 0);
      this.queue.push(this.now + gather + this.scenario.latency + queued, HAPPENS.supernodeAnnounce, swarm.number);
    }
    this.fetch(swarm);
  }

  private supernodeAnnounce(swarm: Swarm): void {
    if (!this.supernode.alive) return;
    for (const block of swarm.news) swarm.told.add(block);
    swarm.news = [];
    for (const node of this.nodes) {
      const pull = at(node.pulls, swarm.number, 'pull');
      pull.isDry = false;
      this.pump(pull);
    }
  }

  /** Patience and hedges need time to pass. */
  private tick(node: Node): void {
    if (!node.alive) return;
    node.serving.next(this.now);
    // A node that has all serves on.
    this.queue.push(this.now + RULES.tick, HAPPENS.tick, node.number);
    if (node.number === 0) this.supernode.serving.next(this.now);
    if (!Number.isNaN(node.ended)) return;
    for (const pull of node.pulls) {
      pull.isDry = false;
      this.pump(pull);
    }
  }

  private die(node: Node): void {
    if (!node.alive) return;
    if (Number.isNaN(node.ended)) this.unfinished -= 1;
    die(node, this.flying, this.hands);
    this.queue.push(this.now + RULES.noticedAfter, HAPPENS.noticed, node.number);
  }

  /** Whom it was asked of is gone. */
  private fail(flight: Flight): void {
    if (!flight.cancelled) this.cancel(flight);
    flight.pull.isDry = false;
    this.pump(flight.pull);
  }

  /** The supernode has noticed; a new daemon takes the place of the dead one. */
  private noticed(node: Node): void {
    for (const swarm of this.swarms) this.place(swarm, { type: 'leave', cid: node.cid, seed: this.seed() });
    this.begin(this.addNode());
  }

  private loseSupernode(): void {
    lose(this.supernode, this.swarms, this.flying, this.hands);
    this.queue.push(this.now + RULES.takenOverAfter, HAPPENS.takenOver, 0);
  }

  /** Another replica fetches the blobs anew, and all who still pull register there. */
  private takeOver(): void {
    this.supernode = this.newSupernode();
    for (const { alive, pulls } of this.nodes) {
      if (!alive) continue;
      for (const pull of pulls) if (!Number.isNaN(pull.joined) && Number.isNaN(pull.ended)) this.register(pull);
    }
  }

  private seed(): number {
    return Math.floor(this.random() * 2 ** 32);
  }

  private node(number: number): Node {
    return at(this.nodes, number, 'node');
  }

  private swarm(number: number): Swarm {
    return at(this.swarms, number, 'blob');
  }

  private pull(number: number): Pull {
    const blobs = this.swarms.length;
    return at(this.node(Math.floor(number / blobs)).pulls, number % blobs, 'pull');
  }
}

function at<T>(list: readonly T[], number: number, what: string): T {
  const found = list[number];
  if (found === undefined) throw new RangeError(`there is no ${what} ${number}`);
  return found;
}
