'use strict';

const root = require('../jest.config.js');

/** The tests with real engines. Only by `npm run test:e2e`, which makes the namespaces that they run in. */
module.exports = {
  testEnvironment: 'node',
  rootDir: __dirname,
  testMatch: ['<rootDir>/**/*.e2e.ts'],
  transform: root.transform,
  testTimeout: 60_000,
  verbose: true,
};
