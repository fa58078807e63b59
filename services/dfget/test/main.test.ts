import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { commandVersion } from '@cdk8s-dragonfly/command';

/** The launcher as it is committed; what it calls has to be compiled, which `npm test` does first. */
const BIN = join(__dirname, '../bin/dfget.js');

test.each([
  [['--help'], 'Usage: dfget --url URL [flags]'],
  [['preheat', '--help'], 'Usage: dfget preheat IMAGE [flags]'],
  [['help', 'doctor'], 'Usage: dfget doctor [flags]'],
  [['help'], 'Usage: dfget --url URL [flags]'],
  // What the originals' df-daemons run to see whether there is a dfget.
  [['version'], `dfget ${commandVersion()}`],
  [['-v'], `dfget ${commandVersion()}`],
])('dfget %j', (argv, firstLine) => {
  const output = execFileSync(process.execPath, [BIN, ...argv], { encoding: 'utf8' });
  expect(output.split('\n')[0]).toBe(firstLine);
});

test('dfget server says what there is instead', () => {
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'server', '--ip', '127.0.0.1'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([
    1,
    'dfget: there is no dfget server: dfget serves peers while it downloads, by itself; afterwards the df-daemon of the node does\n',
  ]);
});
