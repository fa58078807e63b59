'use strict';

// Before `npm pack`: compiles the library into an empty lib/, so that nothing of a source that is gone gets into the package.
const { spawnSync } = require('node:child_process');
const { rmSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
rmSync(join(root, 'lib'), { recursive: true, force: true });
const tsc = join(root, 'node_modules/typescript/bin/tsc');
// Output goes to stderr: stdout belongs to npm, which prints the name of the package there.
const { status, error } = spawnSync(process.execPath, [tsc, '-b', 'src'], { cwd: root, stdio: ['ignore', 2, 2] });
if (error) throw error;
process.exitCode = status ?? 1;
