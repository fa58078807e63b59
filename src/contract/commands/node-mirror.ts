import type { CommandSpec } from '../flag';
import { PATHS } from '../paths';
import { PORTS } from '../ports';
import { LOG_LEVEL } from './shared';

/** `node-mirror`: points the container runtime of a node at its df-daemon. */
export const NODE_MIRROR = {
  name: 'node-mirror',
  summary: "Points this node's container runtime at its df-daemon without a restart, and undoes it.",
  argument: {
    name: 'mode',
    choices: ['apply', 'plan', 'check', 'restore'],
    text: 'apply: make it so; plan: show what apply would change; check: exit 0 when it is so; restore: undo it.',
  },
  flags: {
    runtime: {
      flag: 'runtime',
      type: 'choice',
      choices: ['docker'],
      default: 'docker',
      text: 'The container runtime to point at the mirror.',
    },
    hostRoot: {
      flag: 'host-root',
      type: 'path',
      placeholder: 'DIR',
      default: '/',
      text: `The root of the node's file system; ${PATHS.hostRoot} in the Kubernetes Job.`,
    },
    dockerConfig: {
      flag: 'docker-config',
      type: 'path',
      placeholder: 'FILE',
      default: PATHS.dockerConfig,
      text: "dockerd's configuration file, below the host root.",
    },
    dockerSocket: {
      flag: 'docker-socket',
      type: 'path',
      placeholder: 'SOCKET',
      default: '/var/run/docker.sock',
      text: "dockerd's API socket, below the host root.",
    },
    dockerPidFile: {
      flag: 'docker-pid-file',
      type: 'path',
      placeholder: 'FILE',
      default: '/var/run/docker.pid',
      text: "dockerd's pid file, below the host root.",
    },
    mirror: {
      flag: 'mirror',
      type: 'url',
      default: `http://127.0.0.1:${PORTS.mirror}`,
      text: 'The mirror to add.',
    },
    wait: {
      flag: 'wait',
      type: 'duration',
      default: '60s',
      min: 0,
      max: 3_600_000,
      text: 'How long to wait for the mirror to answer before anything is changed.',
    },
    reloadTimeout: {
      flag: 'reload-timeout',
      type: 'duration',
      default: '10s',
      min: 100,
      max: 600_000,
      text: 'How long the runtime may take to show the change before it is rolled back.',
    },
    logLevel: LOG_LEVEL,
  },
} as const satisfies CommandSpec;
