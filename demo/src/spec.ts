import type { CommandSpec } from '@cdk8s-dragonfly/contract';

/** The smallest and the largest image, in bytes. */
const MIN_SIZE = 1024 ** 2;
const MAX_SIZE = 8 * 1024 ** 3;

/** `demo`, run by `npm start`. */
export const DEMO = {
  name: 'demo',
  summary:
    'An image travels to several nodes on this machine, and one copy leaves the registry: synthesizes the manifests, runs what they describe as local processes, and pulls through all nodes at once.',
  flags: {
    nodes: {
      flag: 'nodes',
      type: 'integer',
      placeholder: 'N',
      default: '3',
      min: 1,
      max: 32,
      text: 'How many nodes pull the image.',
    },
    size: {
      flag: 'size',
      type: 'size',
      default: '64MiB',
      min: MIN_SIZE,
      max: MAX_SIZE,
      text: "The image's three layers together.",
    },
    keep: {
      flag: 'keep',
      type: 'boolean',
      default: 'false',
      text: 'Stay up after the pull until Ctrl-C, and leave the folder of the run.',
    },
    logLevel: {
      flag: 'log-level',
      type: 'choice',
      choices: ['error', 'warn', 'info', 'debug'],
      default: 'warn',
      text: "The least important of the demo's own log lines to write to standard error; the processes have logs of their own.",
    },
  },
} as const satisfies CommandSpec;
