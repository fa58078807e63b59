/** A line of a chart. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  readonly isDashed?: boolean;
  /** Which of the colours it has; lines that belong together share one. */
  readonly colour: number;
}

/** What a chart of ratios against numbers of nodes shows. */
export interface Chart {
  readonly title: string;
  readonly xAxis: string;
  readonly yAxis: string;
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 210;
const TOP = 48;
const BOTTOM = 64;
const COLOURS = ['#0b6bcb', '#c0392b', '#27ae60', '#8e44ad', '#b9770e', '#7f8c8d'];

/** Where lines are drawn across, of ratios. */
const LEVELS = [1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 6, 8, 12, 16, 24, 32];

/** At most so many levels are drawn: the others would stand on one another. */
const MOST_LEVELS = 8;

/** The chart as SVG: both axes logarithmic, the lowest ratio 1, a legend beside it. */
export function svg({ title, xAxis, yAxis, series }: Chart): string {
  const points = series.flatMap((line) => line.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((one, other) => one - other);
  const [least = 1] = xs;
  const most = Math.max(least + 1, ...xs);
  const largest = Math.max(1.2, ...points.map(({ y }) => y));
  const highest = LEVELS.find((level) => level >= largest) ?? largest;
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const x = (value: number): string =>
    (LEFT + ((right - LEFT) * Math.log(value / least)) / Math.log(most / least)).toFixed(1);
  const y = (value: number): string =>
    (bottom - ((bottom - TOP) * Math.log(Math.max(1, value))) / Math.log(highest)).toFixed(1);
  const text = (at: string, words: string): string => `<text ${at}>${words}</text>`;
  const inside = LEVELS.filter((level) => level <= highest);
  const apart = Math.ceil(inside.length / MOST_LEVELS);
  const across = inside
    .filter((_, index) => index % apart === 0)
    .flatMap((level) => [
      `<line x1="${LEFT}" x2="${right}" y1="${y(level)}" y2="${y(level)}" stroke="#ddd"/>`,
      text(`x="${LEFT - 8}" y="${Number(y(level)) + 4}" text-anchor="end"`, `${level}`),
    ]);
  const upright = xs.flatMap((nodes) => [
    `<line x1="${x(nodes)}" x2="${x(nodes)}" y1="${TOP}" y2="${bottom}" stroke="#eee"/>`,
    text(`x="${x(nodes)}" y="${bottom + 18}" text-anchor="middle"`, nodes.toLocaleString('en')),
  ]);
  const lines = series.flatMap(({ name, points: line, isDashed = false, colour: number }, index) => {
    const colour = COLOURS[number % COLOURS.length] ?? 'black';
    const stroke = `fill="none" stroke="${colour}" stroke-width="2"${isDashed ? ' stroke-dasharray="5 4"' : ''}`;
    const row = TOP + 8 + 20 * index;
    return [
      `<polyline points="${line.map((point) => `${x(point.x)},${y(point.y)}`).join(' ')}" ${stroke}/>`,
      ...line.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3" fill="${colour}"/>`),
      `<line x1="${right + 16}" x2="${right + 40}" y1="${row}" y2="${row}" ${stroke}/>`,
      text(`x="${right + 46}" y="${row + 4}"`, name),
    ];
  });
  const middle = (TOP + bottom) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(`x="${LEFT}" y="24" font-size="15"`, title),
    ...across,
    ...upright,
    ...lines,
    text(`x="${(LEFT + right) / 2}" y="${HEIGHT - 16}" text-anchor="middle"`, xAxis),
    text(`x="18" y="${middle}" transform="rotate(-90 18 ${middle})" text-anchor="middle"`, yAxis),
    '</svg>\n',
  ].join('\n');
}
