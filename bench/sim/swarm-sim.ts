import { BlockSet } from '@cdk8s-dragonfly/protocol';

import { pick } from '../../services/engine/src/picker/picker';
import type { PickSource } from '../../services/engine/src/picker/picker';
import { Placement } from '../../services/supernode/src/placement/placement';
import type { PlacementDecision, PlacementEvent } from '../../services/supernode/src/placement/placement';
import { seededRandom } from '../../services/supernode/src/placement/random';
import { EventQueue } from './event-queue';
import { Links } from './links';
import { lowerBound } from './scenario';
import type { Scenario } from './scenario';
import { Serving } from './serving';
import { newNode } from './sim-node';
import type { Flight, Node } from './sim-node';

/** What the nodes do as the real ones: the numbers of `services/engine/src/download` and of the supernode's news, in milliseconds. */
const PEER_FLIGHTS = 8;
const SUPERNODE_SLOTS = 4;
/** Of one client, at a time. */
const PEER_EACH = 4;
const SUPERNODE_EACH = 16;
/** The real block, in bytes. */
const REAL_BLOCK = 1024 * 1024;
const PATIENCE = 2000;
const PATIENCE_FACTOR = 6;
const LATE = 1000;
const LATE_FACTOR = 4;
const TICK = 100;
const MAX_FAILURES = 2;
const PEER_GATHER = 3;
const SUPERNODE_GATHER = 5;
const SUPERNODE_GATHER_A_MEMBER = 0.02;
/** A daemon that is gone is noticed when its connections break, and its session's end. */
const NOTICED_AFTER = 500;
const TAKEN_OVER_AFTER = 1000;

const SUPERNODE = 'supernode';

/** The kinds of events, as places in the table of what they do. */
const HAPPENS = {
  join: 0,
  flow: 1,
  begin: 2,
  announce: 3,
  supernodeAnnounce: 4,
  originBlock: 5,
  tick: 6,
  die: 7,
  noticed: 8,
  lost: 9,
  takenOver: 10,
} as const;

/** What a point came to. Times are in milliseconds. */
export interface SimResult {
  readonly scenario: Scenario;
  readonly lowerBound: number;
  /** T/LB of each node that was there from its beginning to the end, ascending. */
  readonly ratios: Float64Array;
  readonly unfinished: number;
  readonly supernodeBytes: number;
  readonly originBytes: number;
  readonly crossZoneBytes: number;
  readonly peerBytes: number;
  /** Requests for blocks, registrations and sessions at the supernode. */
  readonly supernodeRequests: number;
  readonly transfers: number;
  readonly wasted: number;
  readonly placementMs: number;
  readonly placementEvents: number;
  readonly pickMs: number;
  readonly picks: number;
  readonly end: number;
}

/** A swarm of one blob: the real placement and the real picker on simulated links. */
export class SwarmSim {
  private readonly queue = new EventQueue();
  private readonly links: Links;
  private readonly random: () => number;
  private readonly nodes: Node[] = [];
  private readonly byCid = new Map<string, Node>();
  private readonly flights = new Map<number, Flight>();
  /** Flights whose first byte is still to come, and the free places among them. */
  private readonly starting: (Flight | undefined)[] = [];
  private readonly places: number[] = [];
  private placement = new Placement();
  private supernodeLink: number;
  private supernodeAlive = true;
  private supernodeHeld = new BlockSet();
  private supernodeTold = new BlockSet();
  private supernodeNews: number[] = [];
  private readonly blocks: number;
  /** A simulated block stands for several real ones: so many fewer are under way from the supernode, so that the bytes are the same. */
  private readonly supernodeSlots: number;
  private supernodeServing = this.newServing(SUPERNODE_EACH);
  private now = 0;
  private unfinished = 0;
  private originBytes = 0;
  private crossZoneBytes = 0;
  private peerBytes = 0;
  private supernodeBytes = 0;
  private supernodeRequests = 0;
  private transfers = 0;
  private wasted = 0;
  private placementMs = 0;
  private placementEvents = 0;
  private pickMs = 0;
  private picks = 0;
  private copy = 0;

  /** In the order of {@link HAPPENS}. */
  private readonly handlers: readonly ((subject: number) => void)[] = [
    (node) => this.join(this.node(node)),
    (flow) => this.look(flow),
    (place) => this.begin(place),
    (node) => this.announce(this.node(node)),
    () => this.supernodeAnnounce(),
    (copy) => this.originBlock(copy),
    (node) => this.tick(this.node(node)),
    (node) => this.die(this.node(node)),
    (node) => this.noticed(this.node(node)),
    () => this.loseSupernode(),
    () => this.takeOver(),
  ];

  constructor(private readonly scenario: Scenario) {
    this.links = new Links((time, flow) => this.queue.push(time, HAPPENS.flow, flow));
    this.random = seededRandom(scenario.seed);
    this.blocks = Math.ceil(scenario.size / scenario.block);
    this.supernodeSlots = Math.max(1, Math.round((SUPERNODE_SLOTS * REAL_BLOCK) / scenario.block));
    this.supernodeLink = this.links.add({ up: scenario.supernodeRate, down: scenario.originRate });
  }

  run(): SimResult {
    const { scenario } = this;
    const { nodes, spread, churn = 0, lostAt } = scenario;
    for (let number = 0; number < nodes; number += 1) {
      const node = this.addNode();
      const at = spread * this.random();
      this.queue.push(at, HAPPENS.join, node.number);
      if (this.random() < churn) this.queue.push(at + this.random() * lowerBound(scenario), HAPPENS.die, node.number);
    }
    this.queue.push(this.originBlockAfter(), HAPPENS.originBlock, this.copy);
    if (lostAt !== undefined) this.queue.push(lostAt, HAPPENS.lost, 0);
    const limit = 100 * lowerBound(scenario) + 600_000;
    const take = (time: number, kind: number, subject: number): void => {
      this.now = time;
      this.handlers[kind]?.(subject);
    };
    while (this.unfinished > 0 && this.now < limit && this.queue.pop(take));
    return this.result();
  }

  private newServing(each: number): Serving<Flight> {
    return new Serving(each, (flight) => this.give(flight));
  }

  private addNode(): Node {
    const { scenario } = this;
    const number = this.nodes.length;
    const { zones = 1, slow = 0, nodeRate } = scenario;
    const rate = this.random() < slow ? nodeRate / 10 : nodeRate;
    const zone = zones > 1 ? `zone-${number % zones}` : undefined;
    const node = newNode(number, this.links.add({ up: rate, down: rate }), zone, this.newServing(PEER_EACH));
    this.nodes.push(node);
    this.byCid.set(node.cid, node);
    this.unfinished += 1;
    return node;
  }

  private join(node: Node): void {
    if (!node.alive) return;
    node.began = this.now;
    node.progress = this.now;
    this.register(node);
    node.ticking = true;
    this.queue.push(this.now + TICK, HAPPENS.tick, node.number);
  }

  private register(node: Node): void {
    if (!this.supernodeAlive) return;
    this.supernodeRequests += 2;
    const { cid, zone } = node;
    this.place({ type: 'join', member: { cid, ip: '10.0.0.1', port: 15_001, zone }, seed: this.seed() });
  }

  private place(event: PlacementEvent): void {
    const began = performance.now();
    const decisions = this.placement.apply(event);
    this.placementMs += performance.now() - began;
    this.placementEvents += 1;
    for (const decision of decisions) this.hear(decision);
  }

  private hear(decision: PlacementDecision): void {
    const node = this.byCid.get(decision.cid);
    if (node === undefined || !node.alive) return;
    if (decision.type === 'share') node.share = decision.share;
    else {
      for (const { cid } of decision.peers) {
        const peer = this.byCid.get(cid);
        if (peer === undefined || !peer.alive || peer === node || node.peers.has(peer) || node.dropped.has(peer))
          continue;
        node.peers.set(peer, { failures: 0 });
        peer.watchers.add(node);
      }
    }
    this.pump(node);
  }

  /** Asks for blocks as the real node does; what it can not ask for now is asked at the next arrival or news. */
  private pump(node: Node): void {
    if (!node.alive || !Number.isNaN(node.ended) || Number.isNaN(node.began)) return;
    const { now, blocks } = this;
    const hedgeAfter = lateAfter(node);
    const patience = Math.max(PATIENCE, PATIENCE_FACTOR * node.usual);
    if (!this.mayAsk(node, hedgeAfter)) return;
    const began = performance.now();
    const taken = new Map<string, number>();
    for (const { source } of node.flights) taken.set(source, (taken.get(source) ?? 0) + 1);
    const sources: PickSource[] = [];
    if (this.supernodeAlive && this.supernodeTold.count > 0) {
      const free = this.supernodeSlots - (taken.get(SUPERNODE) ?? 0);
      sources.push({ id: SUPERNODE, kind: 'supernode', has: this.supernodeTold, free });
    }
    const peerSlots = Math.max(1, Math.floor(PEER_FLIGHTS / node.peers.size));
    for (const peer of node.peers.keys()) {
      sources.push({ id: peer.cid, kind: 'peer', has: peer.told, free: peerSlots - (taken.get(peer.cid) ?? 0) });
    }
    const asked = pick({
      now,
      seed: this.seed(),
      held: node.held,
      end: blocks,
      flights: Array.from(node.flights, ({ block, source, kind, asked: since }) => ({ block, source, kind, since })),
      sources,
      cursor: node.held.firstMissing(),
      share: node.share,
      swarmProgress: node.progress,
      limits: { flights: Infinity, peerFlights: PEER_FLIGHTS, patience, hedgeAfter },
    });
    this.pickMs += performance.now() - began;
    this.picks += 1;
    for (const { block, source } of asked) this.ask(node, block, source);
  }

  private ask(node: Node, block: number, source: string): void {
    const peer = this.byCid.get(source);
    const from = peer === undefined ? this.supernodeLink : peer.link;
    const kind = peer === undefined ? 'supernode' : 'peer';
    const turn = { client: node.number, since: this.now, begun: false, over: false };
    const flight: Flight = {
      ...turn,
      block,
      source,
      kind,
      from,
      asked: this.now,
      node,
      flow: undefined,
      cancelled: false,
    };
    node.flights.add(flight);
    if (peer === undefined) this.supernodeRequests += 1;
    const place = this.places.pop() ?? this.starting.length;
    this.starting[place] = flight;
    this.queue.push(this.now + 2 * this.scenario.latency, HAPPENS.begin, place);
  }

  private begin(place: number): void {
    const flight = this.starting[place];
    if (flight === undefined) return;
    this.starting[place] = undefined;
    this.places.push(place);
    if (flight.cancelled || !flight.node.alive) return;
    this.servingOf(flight).ask(this.now, flight);
  }

  private servingOf({ source }: Flight): Serving<Flight> {
    return this.byCid.get(source)?.serving ?? this.supernodeServing;
  }

  /** Whether there is room for another block, from neighbours or from the supernode. */
  private mayAsk(node: Node, hedgeAfter: number): boolean {
    let peers = PEER_FLIGHTS;
    let supernode = this.supernodeSlots;
    for (const { kind, asked } of node.flights) {
      if (kind === 'supernode') supernode -= 1;
      else if (this.now - asked < hedgeAfter) peers -= 1;
    }
    return peers > 0 || supernode > 0;
  }

  private give(flight: Flight): void {
    flight.flow = this.links.begin(this.now, flight.from, flight.node.link, this.lengthOf(flight.block));
    this.flights.set(flight.flow.id, flight);
  }

  private look(id: number): void {
    const flow = this.links.look(this.now, id);
    if (flow === undefined) return;
    const flight = this.flights.get(id);
    this.flights.delete(id);
    if (flight === undefined) return;
    this.servingOf(flight).end(this.now, flight, this.lengthOf(flight.block));
    this.arrived(flight);
  }

  private arrived(flight: Flight): void {
    const { node, block, source, asked: since } = flight;
    const { now } = this;
    node.flights.delete(flight);
    this.transfers += 1;
    const bytes = this.lengthOf(block);
    if (!node.held.add(block)) this.wasted += bytes;
    const peer = this.byCid.get(source);
    if (peer === undefined) this.supernodeBytes += bytes;
    else {
      this.peerBytes += bytes;
      if (peer.zone !== node.zone) this.crossZoneBytes += bytes;
      const entry = node.peers.get(peer);
      if (entry !== undefined) entry.failures = 0;
    }
    const before = lateAfter(node);
    node.usual = node.usual === 0 ? now - since : 0.8 * node.usual + 0.2 * (now - since);
    const { share } = node;
    const ours = share !== undefined && share !== null && block % share.count === share.index;
    if (peer !== undefined || ours) node.progress = now;
    for (const other of [...node.flights]) {
      if (other.block !== block) continue;
      if (now - other.asked >= before) this.tooSlow(node, other.source);
      this.cancel(other);
    }
    if (node.news.push(block) === 1)
      this.queue.push(now + PEER_GATHER + this.scenario.latency, HAPPENS.announce, node.number);
    if (node.held.count === this.blocks) {
      node.ended = now;
      this.unfinished -= 1;
      for (const other of [...node.flights]) this.cancel(other);
    } else this.pump(node);
  }

  private cancel(flight: Flight): void {
    flight.cancelled = true;
    flight.node.flights.delete(flight);
    if (flight.flow === undefined) {
      this.servingOf(flight).end(this.now, flight, 0);
      return;
    }
    this.wasted += this.lengthOf(flight.block) - flight.flow.left;
    this.links.cancel(this.now, flight.flow);
    this.flights.delete(flight.flow.id);
    this.servingOf(flight).end(this.now, flight, 0);
  }

  private tooSlow(node: Node, source: string): void {
    const peer = this.byCid.get(source);
    const entry = peer === undefined ? undefined : node.peers.get(peer);
    if (peer === undefined || entry === undefined) return;
    entry.failures += 1;
    if (entry.failures >= MAX_FAILURES) this.drop(node, peer);
  }

  private drop(node: Node, peer: Node): void {
    node.peers.delete(peer);
    node.dropped.add(peer);
    peer.watchers.delete(node);
  }

  private announce(node: Node): void {
    for (const block of node.news) node.told.add(block);
    node.news = [];
    if (!node.alive) return;
    for (const watcher of node.watchers) this.pump(watcher);
  }

  private originBlock(copy: number): void {
    if (copy !== this.copy || !this.supernodeAlive) return;
    const block = this.supernodeHeld.count;
    this.supernodeHeld.add(block);
    this.originBytes += this.lengthOf(block);
    if (this.supernodeNews.push(block) === 1) {
      const members = this.placement.size;
      this.queue.push(this.now + SUPERNODE_GATHER + SUPERNODE_GATHER_A_MEMBER * members, HAPPENS.supernodeAnnounce, 0);
    }
    if (block + 1 < this.blocks) this.queue.push(this.now + this.originBlockAfter(), HAPPENS.originBlock, copy);
  }

  private supernodeAnnounce(): void {
    if (!this.supernodeAlive) return;
    for (const block of this.supernodeNews) this.supernodeTold.add(block);
    this.supernodeNews = [];
    for (const node of this.nodes) this.pump(node);
  }

  /** Patience and hedges need time to pass. */
  private tick(node: Node): void {
    if (!node.alive || !Number.isNaN(node.ended)) return;
    this.queue.push(this.now + TICK, HAPPENS.tick, node.number);
    node.serving.next(this.now);
    this.supernodeServing.next(this.now);
    this.pump(node);
  }

  private die(node: Node): void {
    if (!node.alive) return;
    node.alive = false;
    if (Number.isNaN(node.ended)) this.unfinished -= 1;
    for (const flight of [...node.flights]) this.cancel(flight);
    for (const flight of [...this.flights.values()]) {
      if (flight.source !== node.cid) continue;
      this.cancel(flight);
      this.pump(flight.node);
    }
    for (const watcher of [...node.watchers]) this.drop(watcher, node);
    for (const peer of node.peers.keys()) peer.watchers.delete(node);
    this.queue.push(this.now + NOTICED_AFTER, HAPPENS.noticed, node.number);
  }

  /** The supernode has noticed; a new daemon takes the place of the dead one. */
  private noticed(node: Node): void {
    this.place({ type: 'leave', cid: node.cid, seed: this.seed() });
    const other = this.addNode();
    this.join(other);
  }

  private loseSupernode(): void {
    this.supernodeAlive = false;
    this.copy += 1;
    for (const flight of [...this.flights.values()]) if (flight.source === SUPERNODE) this.cancel(flight);
    this.supernodeHeld = new BlockSet();
    this.supernodeTold = new BlockSet();
    this.supernodeNews = [];
    this.supernodeServing = this.newServing(SUPERNODE_EACH);
    this.queue.push(this.now + TAKEN_OVER_AFTER, HAPPENS.takenOver, 0);
  }

  /** Another replica fetches the blob anew, and all who still pull register there. */
  private takeOver(): void {
    const { scenario } = this;
    this.supernodeAlive = true;
    this.supernodeLink = this.links.add({ up: scenario.supernodeRate, down: scenario.originRate });
    this.placement = new Placement();
    this.queue.push(this.now + this.originBlockAfter(), HAPPENS.originBlock, this.copy);
    for (const node of this.nodes) {
      if (node.alive && !Number.isNaN(node.began) && Number.isNaN(node.ended)) this.register(node);
    }
  }

  private result(): SimResult {
    const { scenario, nodes } = this;
    const bound = lowerBound(scenario);
    const whole = nodes.filter((node) => node.alive && !Number.isNaN(node.ended));
    const ratios = Float64Array.from(whole, ({ began, ended }) => (ended - began) / bound).sort();
    const { supernodeBytes, originBytes, crossZoneBytes, peerBytes, supernodeRequests, transfers, wasted } = this;
    const { placementMs, placementEvents, pickMs, picks, unfinished, now: end } = this;
    return {
      ...{ scenario, lowerBound: bound, ratios, unfinished, supernodeBytes, originBytes, crossZoneBytes, peerBytes },
      ...{ supernodeRequests, transfers, wasted, placementMs, placementEvents, pickMs, picks, end },
    };
  }

  private originBlockAfter(): number {
    return this.scenario.block / this.scenario.originRate;
  }

  private lengthOf(block: number): number {
    const { size, block: length } = this.scenario;
    return Math.min(length, size - block * length);
  }

  private seed(): number {
    return Math.floor(this.random() * 2 ** 32);
  }

  private node(number: number): Node {
    const node = this.nodes[number];
    if (node === undefined) throw new RangeError(`there is no node ${number}`);
    return node;
  }
}

function lateAfter({ usual }: Node): number {
  return Math.max(LATE, LATE_FACTOR * usual);
}
