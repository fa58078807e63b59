import type { PlacementDecision, PlacementEvent } from '../../services/supernode/src/placement/placement';
import { addNeighbour } from './asking';
import { die, lose } from './faults';
import { RULES } from './rules';
import { Serving } from './serving';
import { Node, Pull } from './sim-node';
import { Supernode } from './supernode';
import type { Swarm } from './swarm';
import type { Transfers } from './transfers';
import { HAPPENS } from './world';
import type { World } from './world';

/** Who is there: daemons that come, register, die and are replaced, supernodes that are lost and taken over, and what the placement tells them. */
export class Membership {
  constructor(
    private readonly world: World,
    private readonly transfers: Transfers,
  ) {
    this.startSupernode();
  }

  addNode(): Node {
    const { zones = 1, slow = 0, nodeRate } = this.world.scenario;
    const { nodes, swarms, links, random } = this.world;
    const number = nodes.length;
    const rate = random() < slow ? nodeRate / 10 : nodeRate;
    const zone = zones > 1 ? `zone-${number % zones}` : undefined;
    const host = links.add({ up: rate, down: rate });
    const node = new Node(
      number,
      host,
      rate,
      zone,
      new Serving(RULES.peerEach, (flight) => this.transfers.give(flight)),
    );
    nodes.push(node);
    for (const swarm of swarms) {
      const pull: Pull = new Pull(node, swarm, () => this.world.pump(pull));
      node.pulls.push(pull);
      swarm.byCid.set(node.cid, pull);
    }
    this.world.unfinished += 1;
    return node;
  }

  begin(node: Node): void {
    if (!node.alive) return;
    node.began = this.world.now;
    this.world.after(this.world.scenario.lead ?? 0, HAPPENS.join, node.number);
  }

  join(node: Node): void {
    if (!node.alive) return;
    for (const pull of node.pulls) {
      pull.joined = this.world.now;
      pull.progress = this.world.now;
      this.register(pull);
    }
    this.world.after(RULES.tick, HAPPENS.tick, node.number);
  }

  /** Patience and hedges need time to pass. */
  tick(node: Node): void {
    const { world } = this;
    if (!node.alive) return;
    node.serving.next(world.now);
    // A node that has all serves on.
    world.after(RULES.tick, HAPPENS.tick, node.number);
    if (node.number === 0) world.supernode.serving.next(world.now);
    if (!Number.isNaN(node.ended)) return;
    for (const pull of node.pulls) {
      pull.isDry = false;
      world.pump(pull);
    }
  }

  die(node: Node): void {
    if (!node.alive) return;
    if (Number.isNaN(node.ended)) this.world.unfinished -= 1;
    die(node, this.transfers.flying, this.transfers);
    this.world.after(RULES.noticedAfter, HAPPENS.noticed, node.number);
  }

  /** The supernode has noticed; a new daemon takes the place of the dead one. */
  noticed(node: Node): void {
    for (const swarm of this.world.swarms) {
      this.place(swarm, { type: 'leave', cid: node.cid, seed: this.world.seed() });
    }
    this.begin(this.addNode());
  }

  loseSupernode(): void {
    lose(this.world.supernode, this.world.swarms, this.transfers.flying, this.transfers);
    this.world.after(RULES.takenOverAfter, HAPPENS.takenOver, 0);
  }

  /** Another replica fetches the blobs anew, and all who still pull register there. */
  takeOver(): void {
    this.startSupernode();
    for (const { alive, pulls } of this.world.nodes) {
      if (!alive) continue;
      for (const pull of pulls) if (!Number.isNaN(pull.joined) && Number.isNaN(pull.ended)) this.register(pull);
    }
  }

  private startSupernode(): void {
    const { supernodeRate } = this.world.scenario;
    const host = this.world.links.add({ up: supernodeRate, down: supernodeRate });
    const serving = new Serving(RULES.supernodeEach, this.transfers.give.bind(this.transfers));
    this.world.supernode = new Supernode(host, serving);
  }

  private register({ swarm, node }: Pull): void {
    const { world } = this;
    if (!world.supernode.alive) return;
    world.tally.supernodeRequests += 2;
    if (!swarm.isFetching) {
      swarm.isFetching = true;
      world.after(world.scenario.originLatency ?? 0, HAPPENS.fetch, swarm.number);
    }
    const member = { cid: node.cid, ip: '10.0.0.1', port: 15_001, zone: node.zone };
    this.place(swarm, { type: 'join', member, seed: world.seed() });
  }

  private place(swarm: Swarm, event: PlacementEvent): void {
    const decisions = this.world.tally.placement.of(() => swarm.placement.apply(event));
    for (const decision of decisions) this.hear(swarm, decision);
  }

  private hear(swarm: Swarm, decision: PlacementDecision): void {
    const pull = swarm.byCid.get(decision.cid);
    if (pull?.node.alive !== true) return;
    pull.isDry = false;
    if (decision.type === 'share') pull.hearsAs(decision.share);
    else {
      for (const { cid } of decision.peers) {
        const peer = swarm.byCid.get(cid);
        if (peer !== undefined) addNeighbour(pull, peer);
      }
    }
    this.world.pump(pull);
  }
}
