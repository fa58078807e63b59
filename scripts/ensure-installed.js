'use strict';

// Before `npm start` and `npm test`: installs what the lock file names when it is missing or older than the lock file,
// and compiles what has changed, so that either command works as the first one in a fresh clone.
const { spawnSync } = require('node:child_process');
const { statSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const mtime = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;

function run(command, args) {
  // Output goes to stderr: stdout belongs to the command that follows.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

const installed = mtime('node_modules/.package-lock.json');
if (installed === undefined || installed < mtime('package-lock.json')) {
  run('npm', ['ci', '--no-fund', '--no-audit']); // also compiles, by the script `dependencies`
} else {
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b']);
}
