import { svg } from '../rig/chart';
import type { Row } from './row';

/** T/LB against N, a line for each system. */
export function plot(rows: readonly Row[]): string {
  const systems = [...new Set(rows.map(({ system }) => system))];
  return svg({
    title: 'Herds that pull one image at once: time by lower bound',
    xAxis: 'nodes (logarithmic)',
    yAxis: 'T/LB, p50 (logarithmic; 1 is the lower bound)',
    series: systems.map((name, colour) => ({
      name,
      colour,
      points: rows.filter(({ system }) => system === name).map(({ nodes, ratio }) => ({ x: nodes, y: ratio.p50 })),
    })),
  });
}
