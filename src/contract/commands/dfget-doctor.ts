import type { CommandSpec } from '../flag';
import { PORTS } from '../ports';
import { LOG_LEVEL } from './shared';
import { NODE_MIRROR } from './node-mirror';

/** `dfget doctor`: what is wrong on this node, and what to do about it. */
export const DFGET_DOCTOR = {
  name: 'dfget doctor',
  summary:
    'Says what is wrong on this node, and what to do about it: whether the df-daemon is up, whether it reaches its supernodes and registries, whether a blob comes through the swarm, whether the runtime is pointed at it. Ends with 0 when nothing fails, else with 1. To be run on the node, or in the pod of its df-daemon.',
  usageExitCode: 2,
  flags: {
    mirror: {
      flag: 'mirror',
      type: 'url',
      default: `http://127.0.0.1:${PORTS.mirror}`,
      text: 'The mirror of the df-daemon.',
    },
    readyz: {
      flag: 'readyz',
      type: 'url',
      default: `http://127.0.0.1:${PORTS.ops}/readyz`,
      text: 'Where the df-daemon says that it is ready.',
    },
    image: {
      flag: 'image',
      type: 'string',
      text: 'An image to test with, such as docker.io/library/alpine:3.20: a layer of it that is not on this node is fetched, and its source told. Best one that other nodes have pulled.',
    },
    runtime: {
      flag: 'runtime',
      type: 'choice',
      choices: [...NODE_MIRROR.flags.runtime.choices, 'none'],
      default: 'auto',
      repeatable: true,
      commas: true,
      text: 'The container runtimes to look at; auto: each that is found on the node; none: that is not looked at.',
    },
    registry: {
      ...NODE_MIRROR.flags.registry,
      text: 'A registry that the runtime has to ask the mirror for, as node-mirror was given it.',
    },
    hostRoot: NODE_MIRROR.flags.hostRoot,
    dockerConfig: NODE_MIRROR.flags.dockerConfig,
    dockerSocket: NODE_MIRROR.flags.dockerSocket,
    dockerPidFile: NODE_MIRROR.flags.dockerPidFile,
    containerdConfig: NODE_MIRROR.flags.containerdConfig,
    containerdSocket: NODE_MIRROR.flags.containerdSocket,
    containerdHosts: NODE_MIRROR.flags.containerdHosts,
    registriesConf: NODE_MIRROR.flags.registriesConf,
    timeout: {
      flag: 'timeout',
      type: 'duration',
      default: '30s',
      min: 100,
      max: 600_000,
      text: 'How long an answer may bring nothing, for the test with an image; any other question waits for 10s at most.',
    },
    output: NODE_MIRROR.flags.output,
    logLevel: { ...LOG_LEVEL, default: 'error' },
  },
} as const satisfies CommandSpec;
