import type { Host } from './links';
import type { Serving } from './serving';
import type { Flight } from './sim-node';
import type { Swarm } from './swarm';

/** A block on its way from the origin to a supernode. */
export interface Fetch {
  readonly swarm: Swarm;
  readonly supernode: Supernode;
  readonly bytes: number;
}

/** The supernode that is there now. */
export class Supernode {
  alive = true;

  constructor(
    readonly host: Host,
    readonly serving: Serving<Flight>,
  ) {}
}
