import { since } from './cpu-time';
import type { Scenario } from './scenario';
import { SwarmSim } from './swarm-sim';

/** What is written of a point. */
export interface PointResult {
  readonly scenario: Scenario;
  /** T/LB. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly lowerBoundMs: number;
  readonly unfinished: number;
  /** Bytes that left the origin, and the supernode, in sizes of the blob. */
  readonly originCopies: number;
  readonly supernodeCopies: number;
  /** Bytes that came twice, and bytes between zones, in parts of what the nodes took. */
  readonly wasted: number;
  readonly crossZone: number;
  /** Requests for blocks, registrations and sessions at the supernode a second, over the whole time. */
  readonly supernodeRequests: number;
  /** Real CPU of the picker, in milliseconds a node and blob. */
  readonly pickerCpuMs: number;
  /** Real CPU of the placement, in microseconds a node and blob. */
  readonly placementCpuUs: number;
  readonly transfers: number;
  /** Of the simulation itself. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

/** Runs a point in this process. */
export function runPoint(scenario: Scenario): PointResult {
  const before = process.cpuUsage();
  const result = new SwarmSim(scenario).run(({ now, unfinished, nodes }) => {
    const seconds = (since(before) / 1e6).toFixed(0);
    const done = `${nodes - unfinished} of ${nodes} nodes have it`;
    process.stderr.write(`${scenario.name}: ${(now / 1000).toFixed(1)} s simulated in ${seconds} CPU s, ${done}\n`);
  });
  const cpuSeconds = since(before) / 1e6;
  const { nodes, size } = scenario;
  const at = (quantile: number): number =>
    result.ratios[Math.max(0, Math.ceil(quantile * result.ratios.length) - 1)] ?? NaN;
  const taken = result.supernodeBytes + result.peerBytes;
  return {
    scenario,
    ...{ p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) },
    lowerBoundMs: result.lowerBound,
    unfinished: result.unfinished,
    originCopies: result.originBytes / size,
    supernodeCopies: result.supernodeBytes / size,
    wasted: result.wasted / taken,
    crossZone: result.crossZoneBytes / taken,
    supernodeRequests: result.supernodeRequests / (result.end / 1000),
    pickerCpuMs: result.pickMs / nodes,
    placementCpuUs: (result.placementMs * 1000) / nodes,
    transfers: result.transfers,
    cpuSeconds,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}
