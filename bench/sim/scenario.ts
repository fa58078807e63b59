import { Grid, pieceSizeOf } from '@cdk8s-dragonfly/protocol';

/** Bytes a millisecond of a link of one Gbit/s. */
export const GBIT = 1e9 / 8 / 1000;

/** One point of the simulation. Times are in milliseconds, rates in bytes a millisecond. */
export interface Scenario {
  readonly name: string;
  readonly nodes: number;
  /** Bytes of the image, all its blobs. */
  readonly size: number;
  /** Of how many blobs of one size it is, pulled at once. Default 1. */
  readonly blobs?: number;
  /** Bytes of a simulated block, a multiple of the real 1 MiB where nodes × blocks would be too many. */
  readonly block: number;
  readonly nodeRate: number;
  readonly supernodeRate: number;
  /** How fast the origin gives blobs to the supernode. */
  readonly originRate: number;
  /** From one host to another. */
  readonly latency: number;
  /** How long a packet waits before a link that is full. Default 0. */
  readonly queue?: number;
  /** From the begin of a node's pull until it joins the swarms of its blobs: manifest, configuration, registration. Default 0. */
  readonly lead?: number;
  /** How long the supernode waits for the first byte of a blob after the first daemon asked for it. Default 0. */
  readonly originLatency?: number;
  /** Over which time the nodes begin. */
  readonly spread: number;
  readonly seed: number;
  /** In how many zones the nodes stand. Default 1. */
  readonly zones?: number;
  /** The part of the nodes whose links have a tenth of the rate. Default 0. */
  readonly slow?: number;
  /** The part of the nodes that die in the middle, each replaced by a new one. Default 0. */
  readonly churn?: number;
  /** When the supernode is lost, and another takes over a second later that has nothing yet. Default: never. */
  readonly lostAt?: number;
}

/** No more nodes × blocks than this in one point. */
export const MOST_TRANSFERS = 5e7;

const MIB = 1024 * 1024;

/** The smallest block, of 1 MiB and more, with which a point has at most `most` transfers. */
export function blockFor(nodes: number, size: number, most = MOST_TRANSFERS): number {
  return MIB * Math.max(1, Math.ceil((nodes * size) / MIB / most));
}

/** The length of each block of each of the blobs: on the real grid, or on an even one where blocks are not as long as the real ones. */
export function blockLengths({ size, blobs = 1, block }: Scenario): Float64Array {
  const length = Math.ceil(size / blobs);
  if (block !== MIB) {
    return Float64Array.from({ length: Math.ceil(length / block) }, (_, index) =>
      Math.min(block, length - index * block),
    );
  }
  const grid = new Grid(pieceSizeOf(length));
  return Float64Array.from({ length: grid.blockCount(length) }, (_, index) => grid.blockLength(index, length));
}

/** The least time in which all nodes can have the image, in milliseconds: its sender, each receiver, and all links together bound it. */
export function lowerBound({ nodes, size, nodeRate, supernodeRate, slow = 0 }: Scenario): number {
  const upload = supernodeRate + nodes * nodeRate * (1 - 0.9 * slow);
  return Math.max(size / supernodeRate, size / nodeRate, (nodes * size) / upload);
}
