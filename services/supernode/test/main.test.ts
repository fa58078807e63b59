import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { commandVersion } from '@cdk8s-dragonfly/command';

/** The launcher as it is committed; what it calls has to be compiled, which `npm test` does first. */
const BIN = join(__dirname, '../bin/supernode.js');
const run = promisify(execFile);

test.concurrent('supernode version', async () => {
  expect((await run(BIN, ['version'])).stdout).toBe(`supernode ${commandVersion()}\n`);
});

test.concurrent.each([
  ['config', 'supernode --help lists the flags and keys with their defaults'],
  ['gen-doc', 'supernode --help lists the flags'],
])('supernode %s says what there is instead', async (word, instead) => {
  await expect(run(BIN, [word, 'default'])).rejects.toMatchObject({
    code: 2,
    stderr: `supernode: there is no supernode ${word}: ${instead}\n`,
  });
});
