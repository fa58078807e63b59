import type { PlacementCost } from './placement-cost';
import type { PointResult } from './point-result';

/** The bars of the herd of 10,000 nodes, T/LB. */
const BARS = { p50: 1.1, p99: 1.4, p999: 1.6 } as const;
const BARRED = { nodes: 10_000, size: 3e9 };

/** The results as Markdown. */
export function markdown(results: readonly PointResult[], costs: readonly PlacementCost[]): string {
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
  const placement = costs.map(({ nodes, joinMicroseconds, bytes, decisions }) => [
    `${nodes}`,
    ...[joinMicroseconds, bytes, decisions].map((value) => value.toFixed(1)),
  ]);
  return [
    '# Simulated swarms\n',
    'Written by `npm run bench:sim`; see `bench/README.md`.\n',
    table(head, rows),
    ...results.filter(isBarred).map((result) => `\n${barLine(result)}\n`),
    '\n## Placement\n',
    table(['nodes', 'CPU µs a join', 'bytes a node', 'decisions told a join'], placement),
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

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 56;

/** T/LB against N for the plain herds: p50 and p99, a line a blob size. */
export function plot(results: readonly PointResult[]): string {
  const plain = results.filter(({ scenario: { name } }) => /^\S+ [MG]B to \d+$/.test(name));
  const sizes = [...new Set(plain.map(({ scenario }) => scenario.size))].filter(
    (size) => plain.filter(({ scenario }) => scenario.size === size).length > 1,
  );
  const most = Math.max(2, ...plain.map(({ p99 }) => p99));
  const x = (nodes: number): number => MARGIN + ((WIDTH - 2 * MARGIN) * Math.log10(nodes / 10)) / Math.log10(5000);
  const y = (ratio: number): number => HEIGHT - MARGIN - ((HEIGHT - 2 * MARGIN) * (ratio - 1)) / (most - 1);
  const colours = ['#1f77b4', '#d62728', '#2ca02c'];
  const lines = sizes.flatMap((size, index) => {
    const line = plain.filter(({ scenario }) => scenario.size === size);
    const path = (ratio: (result: PointResult) => number): string =>
      line.map((result) => `${x(result.scenario.nodes).toFixed(1)},${y(ratio(result)).toFixed(1)}`).join(' ');
    const colour = colours[index % colours.length];
    const label = `${size / 1e6} MB: p50, p99 dashed`;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path(({ p50 }) => p50)}"/>`,
      `<polyline fill="none" stroke="${colour}" stroke-dasharray="6 4" points="${path(({ p99 }) => p99)}"/>`,
      `<text x="${MARGIN + 12}" y="${MARGIN + 18 * index}" fill="${colour}">${label}</text>`,
    ];
  });
  const grid = [10, 100, 1000, 10_000, 50_000].map(
    (nodes) =>
      `<line x1="${x(nodes)}" y1="${MARGIN}" x2="${x(nodes)}" y2="${HEIGHT - MARGIN}" stroke="#ddd"/>` +
      `<text x="${x(nodes)}" y="${HEIGHT - MARGIN + 20}" text-anchor="middle">${nodes}</text>`,
  );
  const steps = Array.from({ length: Math.floor((most - 1) / 0.25) + 1 }, (_, index) => 1 + index * 0.25);
  const rows = steps.map(
    (ratio) =>
      `<line x1="${MARGIN}" y1="${y(ratio)}" x2="${WIDTH - MARGIN}" y2="${y(ratio)}" stroke="#ddd"/>` +
      `<text x="${MARGIN - 8}" y="${y(ratio) + 4}" text-anchor="end">${ratio}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...grid,
    ...rows,
    ...lines,
    `<text x="${WIDTH / 2}" y="${HEIGHT - 12}" text-anchor="middle">nodes</text>`,
    `<text x="16" y="${HEIGHT / 2}" transform="rotate(-90 16 ${HEIGHT / 2})" text-anchor="middle">T/LB</text>`,
    '</svg>\n',
  ].join('\n');
}
