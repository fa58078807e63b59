'use strict';

/** Sources run as TypeScript: a test never sees a stale build. Types are checked by `npm run typecheck`. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/src', '<rootDir>/services', '<rootDir>/demo', '<rootDir>/bench'],
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: [
    '<rootDir>/lib/',
    '<rootDir>/services/[^/]+/lib/',
    '<rootDir>/demo/lib/',
    '<rootDir>/dist/',
  ],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^cdk8s-dragonfly$': '<rootDir>/src/index.ts',
    '^@cdk8s-dragonfly/contract$': '<rootDir>/src/contract/index.ts',
    '^@cdk8s-dragonfly/demo$': '<rootDir>/demo/src/index.ts',
    '^@cdk8s-dragonfly/([a-z-]+)$': '<rootDir>/services/$1/src/index.ts',
  },
  // Many tests wait for sockets and processes more than they compute.
  maxWorkers: 3,
  // For what hangs alone: on a machine with much else to do, tests of many nodes take several times as long as on an idle one.
  testTimeout: 90_000,
};
