import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { commandVersion } from '@cdk8s-dragonfly/command';

/** The launcher as it is committed; what it calls has to be compiled, which `npm test` does first. */
const BIN = join(__dirname, '../bin/dfget.js');
const run = promisify(execFile);

test.concurrent.each([
  [['--help'], 'Usage: dfget --url URL [flags]'],
  [['preheat', '--help'], 'Usage: dfget preheat IMAGE [flags]'],
  [['help', 'doctor'], 'Usage: dfget doctor [flags]'],
  [['help'], 'Usage: dfget --url URL [flags]'],
  // What the originals' df-daemons run to see whether there is a dfget.
  [['version'], `dfget ${commandVersion()}`],
  [['-v'], `dfget ${commandVersion()}`],
])('dfget %j', async (argv, firstLine) => {
  const { stdout } = await run(process.execPath, [BIN, ...argv]);
  expect(stdout.split('\n')[0]).toBe(firstLine);
});

test.concurrent('dfget server says what there is instead', async () => {
  await expect(run(process.execPath, [BIN, 'server', '--ip', '127.0.0.1'])).rejects.toMatchObject({
    code: 1,
    stderr:
      'dfget: there is no dfget server: dfget serves peers while it downloads, by itself; afterwards the df-daemon of the node does\n',
  });
});
