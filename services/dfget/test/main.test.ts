import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The launcher as it is committed; what it calls has to be compiled, which `npm test` does first. */
const BIN = join(__dirname, '../bin/dfget.js');

test.each([
  [['--help'], 'Usage: dfget --url URL [flags]'],
  [['preheat', '--help'], 'Usage: dfget preheat IMAGE [flags]'],
])('dfget %j', (argv, firstLine) => {
  const output = execFileSync(process.execPath, [BIN, ...argv], { encoding: 'utf8' });
  expect(output.split('\n')[0]).toBe(firstLine);
});
