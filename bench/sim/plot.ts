import { svg } from '../rig/chart';
import type { Series } from '../rig/chart';
import type { PointResult } from './point-result';

/** T/LB against N for the herds in which nothing goes wrong: p50 and p99, a colour for each size and links. */
export function plot(results: readonly PointResult[]): string {
  // What stands before the number of nodes, and behind: points that differ in this number alone are a line.
  const kinds = new Map<string, PointResult[]>();
  for (const result of results) {
    const [, size = '', rest = ''] = /^(\S+ [MG]i?B) to \d+( at \S+ \S+)?$/.exec(result.scenario.name) ?? [];
    if (size === '') continue;
    const kind = `${size}${rest.replace(' at ', ', ')}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  const lines = [...kinds].filter(([, line]) => line.length > 1);
  const series = lines.flatMap(([kind, line], colour): Series[] => {
    const points = (ratio: (result: PointResult) => number): Series['points'] =>
      line.map((result) => ({ x: result.scenario.nodes, y: ratio(result) }));
    return [
      { name: `${kind}: p50`, colour, points: points(({ p50 }) => p50) },
      { name: `${kind}: p99`, colour, points: points(({ p99 }) => p99), isDashed: true },
    ];
  });
  return svg({
    title: 'Simulated herds: time by lower bound',
    xAxis: 'nodes (logarithmic)',
    yAxis: 'T/LB (logarithmic; 1 is the lower bound)',
    series,
  });
}
