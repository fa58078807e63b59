import { seededRandom } from '../../services/supernode/src/placement/random';
import { EventQueue } from './event-queue';
import { Links } from './links';
import type { Host } from './links';
import { blockLengths } from './scenario';
import type { Scenario } from './scenario';
import type { Flight, Node, Pull } from './sim-node';
import type { Fetch, Supernode } from './supernode';
import { Swarm } from './swarm';
import { Tally } from './tally';

/** The kinds of events, as places in the table of what they do. */
export const HAPPENS = {
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
  supernodeTold: 14,
} as const;

/** All that there is in one point of the simulation: time, links, nodes and what was counted. */
export class World {
  /** In milliseconds from the beginning. */
  now = 0;
  readonly queue = new EventQueue(Object.keys(HAPPENS).length);
  readonly links = new Links<Flight | Fetch>();
  readonly random: () => number;
  readonly nodes: Node[] = [];
  /** One for each blob of the image. */
  readonly swarms: readonly Swarm[];
  readonly origin: Host;
  readonly tally = new Tally();
  /** Nodes that have not got all. */
  unfinished = 0;
  private readonly awake: Pull[] = [];
  private current: Supernode | undefined;

  constructor(readonly scenario: Scenario) {
    const { seed, blobs = 1, originRate } = scenario;
    this.random = seededRandom(seed);
    const lengths = blockLengths(scenario);
    this.swarms = Array.from({ length: blobs }, (_, number) => new Swarm(number, lengths));
    this.origin = this.links.add({ up: originRate, down: originRate });
  }

  /** The supernode that is there now, or was last. */
  get supernode(): Supernode {
    if (this.current === undefined) throw new Error('there is no supernode yet');
    return this.current;
  }

  set supernode(supernode: Supernode) {
    this.current = supernode;
  }

  /** Something happens after a time. */
  after(time: number, kind: number, subject: number): void {
    this.queue.push(this.now + time, kind, subject);
  }

  /** Has a pull ask for blocks when all that happens now has happened, as the real node does. */
  pump(pull: Pull): void {
    pull.isFull = false;
    if (pull.isAwake) return;
    pull.isAwake = true;
    this.awake.push(pull);
  }

  /** Calls `ask` for each pull that is to ask for blocks. */
  wake(ask: (pull: Pull) => void): void {
    const { awake } = this;
    for (let index = 0; index < awake.length; index += 1) {
      const pull = at(awake, index, 'pull');
      pull.isAwake = false;
      ask(pull);
    }
    awake.length = 0;
  }

  /** How long a packet takes from one host to another. */
  wayBetween(from: Host, to: Host): number {
    return this.scenario.latency + this.queued(from.up, to.down);
  }

  /** How long packets wait before the links of these ways. */
  queued(...ways: readonly number[]): number {
    const { queue = 0 } = this.scenario;
    if (queue === 0) return 0;
    return queue * ways.filter((way) => this.links.isQueued(way)).length;
  }

  /** Chance, for a decision of the placement. */
  seed(): number {
    return Math.floor(this.random() * 2 ** 32);
  }

  node(number: number): Node {
    return at(this.nodes, number, 'node');
  }

  swarm(number: number): Swarm {
    return at(this.swarms, number, 'blob');
  }

  /** The number of a pull in events. */
  numberOf({ node, swarm }: Pull): number {
    return node.number * this.swarms.length + swarm.number;
  }

  pull(number: number): Pull {
    const blobs = this.swarms.length;
    return at(this.node(Math.floor(number / blobs)).pulls, number % blobs, 'pull');
  }
}

function at<T>(list: readonly T[], number: number, what: string): T {
  const found = list[number];
  if (found === undefined) throw new RangeError(`there is no ${what} ${number}`);
  return found;
}
