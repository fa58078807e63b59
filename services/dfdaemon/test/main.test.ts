import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { commandVersion } from '@cdk8s-dragonfly/command';

/** The launcher as it is committed; what it calls has to be compiled, which `npm test` does first. */
const BIN = join(__dirname, '../bin/dfdaemon.js');
const run = promisify(execFile);

test.concurrent('dfdaemon version', async () => {
  expect((await run(BIN, ['version'])).stdout).toBe(`dfdaemon ${commandVersion()}\n`);
});

test.concurrent.each([
  ['config', 'dfdaemon --help lists the flags and keys with their defaults'],
  [
    'gen-ca',
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout KEY -out CERT -subj /CN=dragonfly makes one; name both in hijack_https',
  ],
  ['gen-doc', 'dfdaemon --help lists the flags'],
])('dfdaemon %s says what there is instead', async (word, instead) => {
  await expect(run(BIN, [word, 'default'])).rejects.toMatchObject({
    code: 2,
    stderr: `dfdaemon: there is no dfdaemon ${word}: ${instead}\n`,
  });
});
