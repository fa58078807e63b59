import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { Share } from '@cdk8s-dragonfly/protocol';

import type { Flow } from './links';
import type { Serving, Turn } from './serving';

/** A block that a node has asked for. */
export interface Flight extends Turn {
  readonly block: number;
  readonly source: string;
  readonly kind: 'supernode' | 'peer';
  readonly from: number;
  /** When it was asked for. */
  readonly asked: number;
  readonly node: Node;
  flow: Flow | undefined;
  cancelled: boolean;
}

/** A daemon. */
export interface Node {
  readonly number: number;
  readonly cid: string;
  readonly link: number;
  readonly zone: string | undefined;
  readonly held: BlockSet;
  /** What its neighbours know that it has. */
  readonly told: BlockSet;
  news: number[];
  readonly flights: Set<Flight>;
  readonly peers: Map<Node, { failures: number }>;
  /** Those that have it as a peer. */
  readonly watchers: Set<Node>;
  readonly dropped: Set<Node>;
  share: Share | undefined;
  began: number;
  ended: number;
  usual: number;
  progress: number;
  /** The turns of those who ask it. */
  readonly serving: Serving<Flight>;
  alive: boolean;
  ticking: boolean;
}

/** A daemon that has not begun. @param link its number among the links. */
export function newNode(number: number, link: number, zone: string | undefined, serving: Serving<Flight>): Node {
  return {
    ...{ number, cid: `node-${number}`, link, zone, serving, held: new BlockSet(), told: new BlockSet(), news: [] },
    ...{ flights: new Set(), peers: new Map(), watchers: new Set(), dropped: new Set(), share: undefined },
    ...{ began: NaN, ended: NaN, usual: 0, progress: 0, alive: true, ticking: false },
  };
}
