import type { PointResult } from './point-result';
import type { SupernodeCost } from './supernode-cost';

/** The bars of the herd of 10,000 nodes, T/LB. */
const BARS = { p50: 1.1, p99: 1.4, p999: 1.6 } as const;
const BARRED = { nodes: 10_000, size: 3e9 };

/** The results as Markdown. */
export function markdown(results: readonly PointResult[], costs: readonly SupernodeCost[]): string {
  const rows = results.map((result) => {
    const { scenario, p50, p99, p999, originCopies, supernodeCopies, wasted, crossZone } = result;
    const { supernodeRequests, pickerCpuMs, placementCpuUs, cpuSeconds, peakMiB, unfinished } = result;
    return [
      scenario.name + (unfinished > 0 ? ` (**${unfinished} not finished**)` : ''),
      `${scenario.block / 1024 / 1024}`,
      ...[p50, p99, p999].map((ratio) => ratio.toFixed(2)),
      ...[originCopies, supernodeCopies].map((copies) => copies.toFixed(2)),
      ...[wasted, crossZone].map((part) => `${(100 * part).toFixed(1)} %`),
      ...[supernodeRequests, pickerCpuMs, placementCpuUs].map((value) => value.toFixed(0)),
      `${cpuSeconds.toFixed(0)} s, ${peakMiB.toFixed(0)} MiB`,
    ];
  });
  const head = [
    ...['point', 'block, MiB', 'T/LB p50', 'p99', 'p99.9', 'origin copies', 'sent by the supernode, copies', 'wasted'],
    ...['between zones', 'requests a second at the supernode', 'picker, CPU ms a node', 'placement, CPU µs a node'],
    'the simulation took',
  ];
  const supernode = costs.map((cost) => [
    `${cost.nodes}`,
    `${cost.blocks}`,
    ...[cost.joinMicroseconds, cost.newsMicroseconds].map((value) => value.toFixed(0)),
    `${((cost.newsMicroseconds * cost.nodes) / cost.newsSeconds / 1e4).toFixed(1)} %`,
    ...[cost.bytes, cost.bytesMore, cost.written].map((value) => value.toFixed(0)),
  ]);
  return [
    '# Simulated swarms\n',
    'Written by `npm run bench:sim`; see `bench/README.md`.\n',
    table(head, rows),
    ...results.filter(isBarred).map((result) => `\n${barLine(result)}\n`),
    '\n## The supernode\n',
    'The swarm of one blob alone, whose blocks arrive at 10 Gbit/s: placement, sessions and news, without HTTP and sockets.\n',
    table(
      [
        ...['nodes', 'blocks', 'CPU µs a join', 'CPU µs a node for all news', 'of one core meanwhile'],
        ...['bytes of memory a node', 'more when all blocks are here', 'bytes told a node'],
      ],
      supernode,
    ),
  ].join('\n');
}

/** Whether the bars hold for a point, and by how much. */
export function barLine({ p50, p99, p999 }: PointResult): string {
  const held = p50 <= BARS.p50 && p99 <= BARS.p99 && p999 <= BARS.p999;
  const got = `p50 ${p50.toFixed(3)}, p99 ${p99.toFixed(3)}, p99.9 ${p999.toFixed(3)}`;
  return `Bars for 3 GB to 10,000 (p50 ≤ ${BARS.p50}, p99 ≤ ${BARS.p99}, p99.9 ≤ ${BARS.p999}): ${held ? 'held' : 'missed'}, with ${got}.`;
}

export function isBarred({ scenario }: PointResult): boolean {
  return scenario.nodes === BARRED.nodes && scenario.size === BARRED.size;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
