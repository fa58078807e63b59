import type { Bar } from '../rig/bars';
import type { Row } from './row';

/** The results as a page. */
export function markdown(
  machine: { readonly cpu: string; readonly cores: number; readonly node: string },
  {
    megabits,
    mebibytes,
    rows,
    bars,
  }: { megabits: number; mebibytes: number; rows: readonly Row[]; bars: readonly Bar[] },
): string {
  const table = rows.map((row) =>
    [
      row.system,
      `${row.nodes}`,
      `${(row.ms.p50 / 1000).toFixed(1)} / ${(row.ms.max / 1000).toFixed(1)}`,
      `${row.ratio.p50.toFixed(2)} / ${row.ratio.max.toFixed(2)}`,
      row.firstByteMs.toFixed(0),
      row.copies.toFixed(3),
      row.centreSent.toFixed(2),
      `${row.cpu.node.toFixed(1)} / ${row.cpu.centre.toFixed(1)}`,
      `${row.peakMiB.node.toFixed(0)} / ${row.peakMiB.centre.toFixed(0)}`,
      `${row.failed}`,
    ].join(' | '),
  );
  const head =
    'system | N | s (p50 / max) | T / LB of peers | first byte, ms | copies | centre sent | CPU s a GiB | RSS, MiB | failed';
  return [
    `# A cold herd: ${mebibytes} MiB in 3 layers, all links ${megabits} Mbit/s`,
    '',
    `${machine.cores} cores of ${machine.cpu}, Node ${machine.node}. T/LB is the time beside the least that any system of peers needs. CPU and RSS: of a node / of what stands in the middle.`,
    '',
    '![T/LB against N](swarm.svg)',
    '',
    `| ${head} |`,
    `| ${head
      .split('|')
      .map(() => '---')
      .join(' | ')} |`,
    ...table.map((line) => `| ${line} |`),
    '',
    ...bars.map(({ what, held, value }) => `- ${held ? 'held' : '**missed**'}: ${what}: ${value}`),
    '',
  ].join('\n');
}
