import { RULES } from './rules';
import type { Pull } from './sim-node';
import type { Fetch } from './supernode';
import type { Swarm } from './swarm';
import { HAPPENS } from './world';
import type { World } from './world';

/** New blocks: those that the supernode gets from the origin, and how others hear of what a host has. */
export class News {
  constructor(private readonly world: World) {}

  /** Asks the origin for the next block of a blob. */
  fetch(swarm: Swarm): void {
    const { supernode, links, now, origin } = this.world;
    const bytes = swarm.lengths[swarm.held];
    if (!supernode.alive || bytes === undefined) return;
    links.begin(now, origin, supernode.host, bytes, { swarm, supernode, bytes });
  }

  fetched({ swarm, supernode, bytes }: Fetch): void {
    const { world } = this;
    if (supernode !== world.supernode || !supernode.alive) return;
    world.tally.originBytes += bytes;
    swarm.news.push(swarm.held);
    swarm.held += 1;
    if (swarm.news.length === 1) {
      const queued = world.queued(supernode.host.up);
      const after = RULES.supernodeGather + world.scenario.latency + queued;
      world.after(after, HAPPENS.supernodeAnnounce, swarm.number);
    }
    this.fetch(swarm);
  }

  /** The neighbours of a node hear of its new blocks. */
  announce(pull: Pull): void {
    for (const block of pull.news) pull.told.add(block);
    pull.news = [];
    if (!pull.node.alive) return;
    for (const watcher of pull.watchers) if (!watcher.isFull) this.world.pump(watcher);
  }

  /** The daemons with a share hear of the supernode's. */
  supernodeAnnounce(swarm: Swarm): void {
    const { supernode } = this.world;
    if (!supernode.alive) return;
    for (const block of swarm.news) {
      swarm.told.add(block);
      if (swarm.newsLate.push(block) === 1) {
        this.world.after(turnAfter(swarm.placement.size), HAPPENS.supernodeTold, swarm.number);
      }
    }
    swarm.news = [];
    this.wake(swarm, true);
  }

  /** All others hear of them. */
  supernodeTold(swarm: Swarm): void {
    for (const block of swarm.newsLate) swarm.toldLate.add(block);
    swarm.newsLate = [];
    this.wake(swarm, false);
  }

  private wake(swarm: Swarm, withShare: boolean): void {
    for (const { pulls } of this.world.nodes) {
      const pull = pulls[swarm.number];
      if (pull?.hasShare !== withShare) continue;
      pull.isDry = false;
      this.world.pump(pull);
    }
  }
}

/** How long what can wait is kept before it is written to a session. */
function turnAfter(members: number): number {
  const turn = Math.max(RULES.sessionTurn, RULES.sessionTurnAMember * members);
  const isGathered = members <= RULES.sessionsGathered;
  const gather = isGathered ? RULES.sessionGather + RULES.sessionGatherAMember * members : turn;
  return RULES.othersGather + Math.min(gather, RULES.longestSessionTurn);
}
