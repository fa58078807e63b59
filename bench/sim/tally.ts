import { CpuTime } from './cpu-time';
import { lowerBound } from './scenario';
import type { Scenario } from './scenario';
import type { Flight, Node } from './sim-node';

/** What a point came to. Times are in milliseconds. */
export interface SimResult {
  readonly scenario: Scenario;
  readonly lowerBound: number;
  /** T/LB of each node that was there from its beginning to the end, ascending; for a slow node LB is what its own link takes. */
  readonly ratios: Float64Array;
  readonly unfinished: number;
  readonly supernodeBytes: number;
  readonly originBytes: number;
  readonly crossZoneBytes: number;
  readonly peerBytes: number;
  /** Requests for blocks, registrations and sessions at the supernode. */
  readonly supernodeRequests: number;
  readonly transfers: number;
  /** Bytes that came twice, or of blocks that were given up. */
  readonly wasted: number;
  /** CPU time, in milliseconds. */
  readonly placementMs: number;
  readonly pickMs: number;
  /** How often a neighbour was told to ask others. */
  readonly refusals: number;
  /** When the last node had all. */
  readonly end: number;
}

/** What is counted while a point runs. */
export class Tally {
  supernodeBytes = 0;
  peerBytes = 0;
  crossZoneBytes = 0;
  originBytes = 0;
  supernodeRequests = 0;
  transfers = 0;
  wasted = 0;
  readonly placement = new CpuTime();
  refusals = 0;

  /** A block has come. @param isNew whether it was missing. */
  took({ giver, pull }: Flight, bytes: number, isNew: boolean): void {
    this.transfers += 1;
    if (!isNew) this.wasted += bytes;
    if (giver.peer === undefined) this.supernodeBytes += bytes;
    else {
      this.peerBytes += bytes;
      if (giver.peer.node.zone !== pull.node.zone) this.crossZoneBytes += bytes;
    }
  }

  result(ended: {
    readonly scenario: Scenario;
    readonly nodes: readonly Node[];
    readonly unfinished: number;
    readonly pickMs: number;
    readonly end: number;
  }): SimResult {
    const { scenario, nodes, unfinished, pickMs, end } = ended;
    const bound = lowerBound(scenario);
    const whole = nodes.filter((node) => node.alive && !Number.isNaN(node.ended));
    // No node can have it in less time than its own link takes.
    const ratios = Float64Array.from(
      whole,
      ({ began, ended: at, rate }) => (at - began) / Math.max(bound, scenario.size / rate),
    );
    ratios.sort();
    const { supernodeBytes, originBytes, crossZoneBytes, peerBytes, supernodeRequests, transfers, wasted } = this;
    return {
      ...{ scenario, lowerBound: bound, ratios, unfinished, supernodeBytes, originBytes, crossZoneBytes, peerBytes },
      ...{ supernodeRequests, transfers, wasted, placementMs: this.placement.ms, refusals: this.refusals, pickMs, end },
    };
  }
}
