'use strict';

// One file a command, for container images: `npm run bundle` writes them to services/bundles/, from what `tsc -b` has compiled.
const { chmodSync, copyFileSync, mkdirSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { build } = require('esbuild');

const root = join(__dirname, '..');
const target = join(root, 'services/bundles');
const commands = ['supernode', 'dfdaemon', 'dfget', 'node-mirror'];
const { version } = require('../package.json');

async function bundle(command) {
  const outfile = join(target, 'lib', `${command}.js`);
  await build({
    entryPoints: [join(root, 'services', command, 'bin', `${command}.js`)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // The module form where there is one: some packages' main is a UMD file whose requires cannot be followed. Nothing is minified but
    // syntax: what a fault prints has to be readable.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    legalComments: 'external',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  return `${command}.js ${Math.ceil(statSync(outfile).size / 1024)} KiB`;
}

async function main() {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const sizes = await Promise.all(commands.map(bundle));
  // The commands read their version from the folder above their own.
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name: 'cdk8s-dragonfly', version })}\n`);
  copyFileSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
  console.log(sizes.join('\n'));
}

void main();
