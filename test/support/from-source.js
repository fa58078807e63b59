'use strict';

// Lets `node -r` run the daemons' TypeScript sources, as the tests see them: never a stale build.
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { join } = require('node:path');

const { transformSync } = require('@swc/core');

const root = join(__dirname, '..', '..');
const resolve = Module._resolveFilename;

Module._resolveFilename = function (request, ...rest) {
  const [, name] = /^@cdk8s-dragonfly\/([a-z-]+)$/.exec(request) ?? [];
  if (name === undefined) return resolve.call(this, request, ...rest);
  const service = join(root, 'services', name, 'src', 'index.ts');
  return existsSync(service) ? service : join(root, 'src', name, 'index.ts');
};

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};
