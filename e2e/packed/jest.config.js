'use strict';

const root = require('../../jest.config.js');

/** The package in apps of users. `npm run test:packed`; it asks the registry that npm is configured for. */
module.exports = {
  testEnvironment: 'node',
  rootDir: __dirname,
  testMatch: ['<rootDir>/**/*.packed.ts'],
  transform: root.transform,
  testTimeout: 180_000,
  verbose: true,
};
