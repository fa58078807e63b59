import { BlockSet } from '@cdk8s-dragonfly/protocol';

import { Placement } from '../../services/supernode/src/placement/placement';
import { Overdue } from '../../services/engine/src/picker/overdue';
import type { Pull } from './sim-node';

/** One blob at the supernode: what it has of it, and the daemons that pull it. */
export class Swarm {
  placement: Placement;
  /** Blocks that have come from the origin, in order. */
  held = 0;
  /** What those with a share know that the supernode has, and all others. */
  told = new BlockSet();
  toldLate = new BlockSet();
  news: number[] = [];
  newsLate: number[] = [];
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
    this.toldLate = new BlockSet();
    this.news = [];
    this.newsLate = [];
    this.isFetching = false;
    for (const pull of this.byCid.values()) {
      pull.overdue = new Overdue();
      pull.hearsAs(pull.share);
    }
  }
}
