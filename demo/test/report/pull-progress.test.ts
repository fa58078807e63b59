import { PassThrough } from 'node:stream';
import { pullProgress } from '../../src/report/pull-progress';

test('without a terminal a line is written for each quarter', () => {
  const output = new PassThrough({ encoding: 'utf8' });
  const progress = pullProgress(output, ['node-1', 'node-2'], 4096);
  for (const bytes of [1, 1024, 1500, 3072, 4096]) progress.update('node-1', bytes);
  progress.update('node-2', 4096);
  progress.stop();
  expect(output.read()).toBe(
    [
      'node-1   25 %  1 KiB of 4 KiB',
      'node-1   75 %  3 KiB of 4 KiB',
      'node-1  100 %  4 KiB of 4 KiB',
      'node-2  100 %  4 KiB of 4 KiB',
      '',
    ].join('\n'),
  );
});

test('on a terminal there is a bar a node', () => {
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns: 100 });
  const progress = pullProgress(output, ['node-1', 'node-2'], 4096);
  progress.update('node-1', 4096);
  progress.stop();
  const text = String(output.read());
  expect(text).toMatch(/node-1 \[=+\] 100 % {2}4 KiB of 4 KiB/);
  expect(text).toMatch(/node-2 \[-+\] 0 % {2}0 B of 4 KiB/);
});
