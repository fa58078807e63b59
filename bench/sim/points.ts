import { GBIT, blockFor } from './scenario';
import type { Scenario } from './scenario';

const MB = 1e6;
const GB = 1e9;
const MIB = 1024 * 1024;

/** What all points share: a herd that begins within a second, at a supernode that streams the blob in from a fast origin. */
const SHARED = {
  nodeRate: 2.4 * GBIT,
  supernodeRate: 10 * GBIT,
  originRate: 10 * GBIT,
  latency: 0.25,
  spread: 1000,
  seed: 20261125,
};

/** As the swarm bench has it: what a direct pull of 64 Mbit/s carries of the blob, and a herd that begins at once. */
const MEASURED_RATE = 7.9e6 / 1000;
const AS_MEASURED = {
  nodeRate: MEASURED_RATE,
  supernodeRate: MEASURED_RATE,
  originRate: MEASURED_RATE,
  blobs: 3,
  queue: 50,
  spread: 20,
};

/**
 * The points of the simulation.
 *
 * @param most transfers (nodes × blocks) a point: larger simulated blocks above that. Fewer are quicker, and coarser.
 */
export function points(most: number): Scenario[] {
  const point = (name: string, nodes: number, size: number, more: Partial<Scenario> = {}): Scenario => ({
    ...SHARED,
    ...{ name, nodes, size, block: blockFor(nodes, size, most) },
    ...more,
  });
  return [
    ...[1, 2, 4, 8, 16].map((nodes) => point(`96 MiB to ${nodes} at 64 Mbit/s`, nodes, 96 * MIB, AS_MEASURED)),
    ...[10, 100, 1000, 10_000].map((nodes) => point(`3 GB to ${nodes}`, nodes, 3 * GB)),
    ...[100, 1000, 10_000, 50_000].map((nodes) => point(`100 MB to ${nodes}`, nodes, 100 * MB)),
    ...[10 * MB, GB, 50 * GB].map((size) => point(`${size / MB} MB to 1000`, 1000, size)),
    point('1 GB to 1000 with 5 % slow', 1000, GB, { slow: 0.05 }),
    point('1 GB to 1000 of which 10 % die', 1000, GB, { churn: 0.1 }),
    point('1 GB to 1000 in 3 zones', 1000, GB, { zones: 3 }),
    point('1 GB to 1000 with the supernode lost', 1000, GB, { lostAt: 1000 }),
  ];
}
