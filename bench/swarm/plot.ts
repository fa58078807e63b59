import type { Row } from './row';

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 56;
const COLOURS = ['#0b6bcb', '#c0392b', '#7f8c8d', '#27ae60', '#8e44ad'];

/** T/LB against N, a line for each system, both axes logarithmic. */
export function plot(rows: readonly Row[]): string {
  const systems = [...new Set(rows.map(({ system }) => system))];
  const most = {
    nodes: Math.max(2, ...rows.map(({ nodes }) => nodes)),
    ratio: Math.max(2, ...rows.map(({ ratio }) => ratio.p50)),
  };
  const x = (nodes: number): string =>
    (MARGIN + (Math.log(nodes) / Math.log(most.nodes)) * (WIDTH - 2 * MARGIN)).toFixed(1);
  const y = (ratio: number): string =>
    (HEIGHT - MARGIN - (Math.log(Math.max(1, ratio)) / Math.log(most.ratio)) * (HEIGHT - 2 * MARGIN)).toFixed(1);
  const text = (at: { x: string; y: string }, words: string, more = ''): string =>
    `<text x="${at.x}" y="${at.y}" font-family="sans-serif" font-size="12"${more}>${words}</text>`;
  const ticks = [...new Set(rows.map(({ nodes }) => nodes))].map((nodes) =>
    text({ x: x(nodes), y: `${HEIGHT - MARGIN + 18}` }, `${nodes}`, ' text-anchor="middle"'),
  );
  const levels = [1, 2, 4, 8, 16]
    .filter((level) => level <= most.ratio)
    .flatMap((level) => [
      `<line x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${y(level)}" y2="${y(level)}" stroke="#ddd"/>`,
      text({ x: `${MARGIN - 8}`, y: y(level) }, `${level}`, ' text-anchor="end"'),
    ]);
  const lines = systems.flatMap((system, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? 'black';
    const points = rows.filter((row) => row.system === system).map(({ nodes, ratio }) => `${x(nodes)},${y(ratio.p50)}`);
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      text({ x: `${MARGIN + 12}`, y: `${MARGIN + 16 * index}` }, system, ` fill="${colour}"`),
    ];
  });
  const axis = text(
    { x: `${WIDTH / 2}`, y: `${HEIGHT - 12}` },
    'nodes that pull at once; T/LB, p50',
    ' text-anchor="middle"',
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}">\n${[...levels, ...ticks, axis, ...lines].join('\n')}\n</svg>\n`;
}
