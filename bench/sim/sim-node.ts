import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { Share } from '@cdk8s-dragonfly/protocol';

import { FlightBudget } from '../../services/engine/src/download/flight-budget';
import { Overdue } from '../../services/engine/src/picker/overdue';
import type { PickSource } from '../../services/engine/src/picker/picker';
import type { Host } from './links';
import type { Serving, Turn } from './serving';
import type { Swarm } from './swarm';

// Classes, whose objects are all of one form: millions of them go by.

/** Whom a node asks for blocks of one blob. */
export class Source implements PickSource {
  readonly id: string;
  readonly kind: PickSource['kind'];
  has: BlockSet;
  free = 0;
  /** Blocks that it was asked for and that have not come. */
  busy = 0;
  failures = 0;
  /** How long its blocks took lately, for their length. */
  pace = 0;
  /** It was busy, and is asked no more until then. */
  pausedUntil = 0;

  /** @param peer the neighbour's side; undefined: the supernode. */
  constructor(
    readonly peer: Pull | undefined,
    swarm: Swarm,
  ) {
    this.id = peer === undefined ? 'supernode' : peer.node.cid;
    this.kind = peer === undefined ? 'supernode' : 'peer';
    this.has = peer === undefined ? swarm.toldLate : peer.told;
  }
}

/** A block that a node has asked for. */
export class Flight implements Turn {
  /** Whose turn it is. */
  readonly client: Node;
  servedSince = NaN;
  over = false;
  cancelled = false;
  /** Its bytes while they leave, as a number of the links. */
  flow: number | undefined = undefined;
  /** Whether all its bytes have left. */
  hasLeft = false;
  readonly source: string;
  readonly kind: PickSource['kind'];

  /**
   * @param since when it was asked for.
   * @param serving where it waits for its turn, and over whose link it comes.
   */
  constructor(
    readonly pull: Pull,
    readonly block: number,
    readonly giver: Source,
    readonly since: number,
    readonly serving: Serving<Flight>,
    readonly host: Host,
  ) {
    this.client = pull.node;
    this.source = giver.id;
    this.kind = giver.kind;
  }
}

/** One blob that a node pulls. */
export class Pull {
  readonly held = new BlockSet();
  /** What its neighbours know that it has. */
  readonly told = new BlockSet();
  news: number[] = [];
  /** In the order in which they were asked for. */
  readonly flights: Flight[] = [];
  fromPeers = 0;
  fromSupernode = 0;
  /** The supernode is the first. */
  readonly sources: Source[];
  /** Those that have it as a neighbour. */
  readonly watchers = new Set<Pull>();
  readonly dropped = new Set<Pull>();
  /** Whether the supernode had nothing for it when it was last looked at, and has said nothing since. Saves time, and changes nothing. */
  isDry = false;
  /** Whether it may ask neighbours for no more, whatever news they have, until it is pumped for another reason. Saves time, and changes nothing. */
  isFull = false;
  /** Whether it is about to ask for blocks. */
  isAwake = false;
  share: Share | undefined = undefined;
  overdue = new Overdue();
  /** How long blocks usually take. */
  usual = 0;
  /** And those from the supernode. */
  usualOfSupernode = 0;
  progress = 0;
  cursor = 0;
  /** When it joined, and when it had all. */
  joined = NaN;
  ended = NaN;

  /** @param pump has it ask for blocks. */
  constructor(
    readonly node: Node,
    readonly swarm: Swarm,
    readonly pump: () => void,
  ) {
    node.budget.open(this);
    this.sources = [new Source(undefined, swarm)];
  }

  /** It has another share, and with one hears of the supernode's blocks sooner. */
  hearsAs(share: Share | undefined): void {
    const { swarm } = this;
    const [supernode] = this.sources;
    this.share = share;
    if (supernode !== undefined) supernode.has = this.hasShare ? swarm.told : swarm.toldLate;
  }

  freed(): void {
    this.pump();
  }

  get hasShare(): boolean {
    return this.share !== undefined && this.share !== null;
  }
}

/** A daemon. */
export class Node {
  readonly cid: string;
  readonly budget = new FlightBudget();
  readonly pulls: Pull[] = [];
  began = NaN;
  ended = NaN;
  alive = true;

  /** @param rate of its link. @param serving the turns of those who ask it. */
  constructor(
    readonly number: number,
    readonly host: Host,
    readonly rate: number,
    readonly zone: string | undefined,
    readonly serving: Serving<Flight>,
  ) {
    this.cid = `node-${number}`;
  }
}
