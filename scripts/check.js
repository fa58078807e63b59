'use strict';

// Style, format, types, and whether API.md is that of src/, side by side: each has a core to itself for most of its time. What a check has to say is shown
// when it has failed; the exit code is 1 then.
const { spawn } = require('node:child_process');
const { join } = require('node:path');

const root = join(__dirname, '..');
const checks = [
  ['eslint', ['eslint/bin/eslint.js', '.']],
  ['prettier', ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.']],
  ['types', ['typescript/bin/tsc', '-p', 'tsconfig.test.json']],
  ['API.md', ['../scripts/api.js', '--check']],
];

function run([name, [script, ...args]]) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.once('close', (code) => {
      console.log(`${code === 0 ? 'passed' : 'FAILED'}: ${name}`);
      if (code !== 0) console.log(said.trimEnd());
      resolve(code === 0);
    });
  });
}

void Promise.all(checks.map(run)).then((passed) => {
  process.exitCode = passed.every(Boolean) ? 0 : 1;
});
