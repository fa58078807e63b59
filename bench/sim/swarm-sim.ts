import { Membership } from './membership';
import { News } from './news';
import { lowerBound } from './scenario';
import type { Scenario } from './scenario';
import { Flight } from './sim-node';
import type { SimResult } from './tally';
import { Transfers } from './transfers';
import { HAPPENS, World } from './world';

/** So many events pass before it is told again how far it is. */
const TOLD_EVERY = 1 << 20;

/** How far a simulation is. */
export interface Progress {
  /** Simulated milliseconds. */
  readonly now: number;
  readonly unfinished: number;
  readonly nodes: number;
}

/** A swarm of each blob of an image: the real placement, picker and budgets on simulated links. */
export class SwarmSim {
  private readonly world: World;
  private readonly transfers: Transfers;
  private readonly members: Membership;
  private readonly news: News;
  /** In the order of {@link HAPPENS}. */
  private readonly handlers: readonly ((subject: number) => void)[];

  constructor(private readonly scenario: Scenario) {
    const world = new World(scenario);
    const transfers = new Transfers(world);
    const members = new Membership(world, transfers);
    const news = new News(world);
    const { flying } = transfers;
    this.world = world;
    this.transfers = transfers;
    this.members = members;
    this.news = news;
    this.handlers = [
      (node) => members.begin(world.node(node)),
      (node) => members.join(world.node(node)),
      (place) => transfers.wasAsked(flying.landed(place)),
      (place) => transfers.arrived(flying.landed(place)),
      (pull) => news.announce(world.pull(pull)),
      (swarm) => news.supernodeAnnounce(world.swarm(swarm)),
      (swarm) => news.fetch(world.swarm(swarm)),
      (node) => members.tick(world.node(node)),
      (node) => members.die(world.node(node)),
      (node) => members.noticed(world.node(node)),
      () => members.loseSupernode(),
      () => members.takeOver(),
      (place) => transfers.refuse(flying.landed(place)),
      (place) => transfers.wasRefused(flying.landed(place)),
      (swarm) => news.supernodeTold(world.swarm(swarm)),
    ];
  }

  /** @param watch is told now and then how far it is. Default: nobody. */
  run(watch?: (progress: Progress) => void): SimResult {
    const { scenario, world, transfers } = this;
    const { queue, links, tally, nodes } = world;
    this.populate();
    const limit = 100 * lowerBound(scenario) + 600_000;
    const take = (_time: number, kind: number, subject: number): void => this.handlers[kind]?.(subject);
    const ask = transfers.askFor.bind(transfers);
    for (let events = 1; world.unfinished > 0 && world.now < limit; events += 1) {
      if (events % TOLD_EVERY === 0) watch?.({ now: world.now, unfinished: world.unfinished, nodes: nodes.length });
      const end = links.nextEnd;
      const next = queue.nextTime;
      if (end === Infinity && next === Infinity) break;
      world.now = Math.max(world.now, Math.min(end, next));
      if (end < next) this.ended();
      else queue.pop(take);
      world.wake(ask);
      links.settle(world.now);
    }
    return tally.result({ scenario, nodes, unfinished: world.unfinished, pickMs: transfers.pickMs, end: world.now });
  }

  private populate(): void {
    const { nodes, spread, churn = 0, lostAt } = this.scenario;
    const { queue, random } = this.world;
    for (let number = 0; number < nodes; number += 1) {
      const node = this.members.addNode();
      const at = spread * random();
      queue.push(at, HAPPENS.begin, node.number);
      if (random() < churn) queue.push(at + random() * lowerBound(this.scenario), HAPPENS.die, node.number);
    }
    if (lostAt !== undefined) queue.push(lostAt, HAPPENS.lost, 0);
  }

  /** The last byte of a block has left its sender. */
  private ended(): void {
    const cargo = this.world.links.endFirst(this.world.now);
    if (cargo === undefined) return;
    if (cargo instanceof Flight) this.transfers.left(cargo);
    else this.news.fetched(cargo);
  }
}
