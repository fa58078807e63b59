import { BlockSet } from '@cdk8s-dragonfly/protocol';

import { Placement } from '../../services/supernode/src/placement/placement';
import type { Pull } from './sim-node';

/** One blob at the supernode: what it has of it, and the daemons that pull it. */
export class Swarm {
  placement: Placement;
  /** Blocks that have come from the origin, in order. */
  held = 0;
  /** What the daemons know that the supernode has. */
  told = new BlockSet();
  news: number[] = [];
  isFetching = false;
  readonly byCid = new Map<string, Pull>();

  /** @param lengths of its blocks. */
  constructor(
    readonly number: number,
    readonly lengths: Float64Array,
  ) {
    this.placement = new Placement(number);
  }

  lengthOf(block: number): number {
    return this.lengths[block] ?? 0;
  }

  /** Another supernode has nothing of it, and knows nobody. */
  forget(): void {
    this.placement = new Placement(this.number);
    this.held = 0;
    this.told = new BlockSet();
    this.news = [];
    this.isFetching = false;
    for (const { sources } of this.byCid.values()) {
      const [supernode] = sources;
      if (supernode?.peer === undefined && supernode !== undefined) supernode.has = this.told;
    }
  }
}
