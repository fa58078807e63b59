import { firstByteOf, timeAt } from '../rig/cluster';
import type { Cost, Herd } from '../rig/cluster';

const GIB = 1024 ** 3;

/** A figure of the nodes of a herd: the median and the worst. */
interface Spread {
  readonly p50: number;
  readonly max: number;
}

/** What is told of a herd. */
export interface Row {
  readonly system: string;
  readonly nodes: number;
  readonly failed: number;
  /** Milliseconds a node. */
  readonly ms: Spread;
  /** Beside the lower bound (Kumar and Ross, 2006). */
  readonly ratio: Spread;
  readonly lowerBoundMs: number;
  readonly firstByteMs: number;
  readonly copies: number;
  readonly centreSent: number;
  readonly traffic: Readonly<Record<string, number>> | undefined;
  /** CPU seconds a GiB that nodes received, and memory. */
  readonly cpu: { readonly node: number; readonly centre: number };
  readonly peakMiB: { readonly node: number; readonly centre: number };
  /** For people. */
  readonly line: string;
}

/** @param goodput of a link, in bytes a millisecond: that of a direct pull alone. */
export function rowOf(herd: Herd, goodput: number): Row {
  const { system, nodes, bytes, copies, centreSent, traffic, failures } = herd;
  // All links are alike: max(F/u_s, F/d, N·F/(u_s + Σu)); without peers N·F/u_s.
  const trades = system !== 'direct' && system !== 'pull-through cache';
  const lowerBoundMs = trades ? bytes / goodput : (nodes * bytes) / goodput;
  const ms = { p50: timeAt(herd, 0.5), max: timeAt(herd, 1) };
  const ratio = { p50: (ms.p50 * goodput) / bytes, max: (ms.max * goodput) / bytes };
  const perGiB = ({ cpuSeconds }: Cost): number => cpuSeconds / ((nodes * bytes) / GIB);
  const cpu = { node: perGiB(herd.node), centre: perGiB(herd.centre) };
  const peakMiB = { node: herd.node.peakMiB, centre: herd.centre.peakMiB };
  const line = [
    `N ${nodes} ${system}: p50 ${ms.p50.toFixed(0)} ms, max ${ms.max.toFixed(0)} ms`,
    `T/LB ${ratio.p50.toFixed(2)} / ${ratio.max.toFixed(2)}`,
    `first byte ${firstByteOf(herd).toFixed(0)} ms, ${copies.toFixed(3)} copies, centre sent ${centreSent.toFixed(2)}`,
    `CPU s a GiB: node ${cpu.node.toFixed(1)}, centre ${cpu.centre.toFixed(1)}`,
    `RSS ${peakMiB.node.toFixed(0)} / ${peakMiB.centre.toFixed(0)} MiB`,
    ...(traffic === undefined ? [] : [JSON.stringify(traffic)]),
    ...failures.map((failure) => `FAILED ${failure}`),
  ].join('; ');
  const firstByteMs = firstByteOf(herd);
  return {
    system,
    nodes,
    failed: failures.length,
    ms,
    ratio,
    lowerBoundMs,
    firstByteMs,
    copies,
    centreSent,
    traffic,
    cpu,
    peakMiB,
    line,
  };
}
