'use strict';

const js = require('@eslint/js');
const jest = require('eslint-plugin-jest');
const tseslint = require('typescript-eslint');

/** cdk8s stays in the construct library: the daemons and the contract run without it. */
const noCdk8s = {
  patterns: [
    { group: ['cdk8s', 'cdk8s-*', 'constructs'], message: 'The daemons and the contract never import cdk8s.' },
  ],
};

/** What each room of the daemons may import of the others: the table of rooms in docs/architecture.md. */
const rooms = {
  protocol: [],
  store: ['protocol'],
  origin: [],
  command: ['contract'],
  engine: ['command', 'origin', 'protocol', 'store'],
  supernode: ['command', 'contract', 'engine', 'origin', 'protocol', 'store'],
  dfdaemon: ['command', 'contract', 'engine', 'origin', 'protocol', 'store'],
  dfget: ['command', 'contract', 'engine', 'node-mirror', 'origin', 'protocol', 'store'],
  'node-mirror': ['command', 'contract'],
};

/** The sources of one room. */
function room([name, others]) {
  const group = ['@cdk8s-dragonfly/*', ...others.map((other) => `!@cdk8s-dragonfly/${other}`)];
  const message = `services/${name} may import ${others.join(', ') || 'nothing'} of the other rooms.`;
  const patterns = [...noCdk8s.patterns, { group, message }];
  return {
    files: [`services/${name}/src/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
}

module.exports = tseslint.config(
  { ignores: ['**/lib/', 'dist/', 'src/imports/', 'node_modules/', 'coverage/'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        process: 'readonly',
        __dirname: 'readonly',
        console: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: __dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/strict-boolean-expressions': [
        'error',
        { allowString: false, allowNumber: false, allowNullableObject: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true } }],
    },
  },
  {
    files: ['services/**/*.ts', 'src/contract/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', noCdk8s] },
  },
  ...Object.entries(rooms).map(room),
  {
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', 'fc.assert'] }],
      'jest/no-standalone-expect': 'off',
    },
  },
);
