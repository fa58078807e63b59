import { Placement } from '../../services/supernode/src/placement/placement';

/** What the placement of one swarm costs the supernode. */
export interface PlacementCost {
  readonly nodes: number;
  /** CPU microseconds a member that joins. */
  readonly joinMicroseconds: number;
  /** Bytes of memory a member. */
  readonly bytes: number;
  /** Decisions that are told, a member. */
  readonly decisions: number;
}

/** Lets so many members join one swarm. It knows no blocks, so it costs the same whatever the blob's size. */
export function placementCost(nodes: number): PlacementCost {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const placement = new Placement();
  const began = process.cpuUsage();
  let decisions = 0;
  for (let number = 0; number < nodes; number += 1) {
    const member = { cid: `node-${number}`, ip: '10.0.0.1', port: 15_001 };
    decisions += placement.apply({ type: 'join', member, seed: number }).length;
  }
  const { user, system } = process.cpuUsage(began);
  globalThis.gc?.();
  const bytes = process.memoryUsage().heapUsed - before;
  return {
    nodes: placement.size,
    joinMicroseconds: (user + system) / nodes,
    bytes: bytes / nodes,
    decisions: decisions / nodes,
  };
}
