import type { CommandSpec } from '../flag';
import {
  CONNECT_TIMEOUT,
  LOG_LEVEL,
  NODE,
  NODE_CONFIG,
  ORIGIN_FIRST_BYTE_TIMEOUT,
  ORIGIN_HEADER,
  ORIGIN_STALL_TIMEOUT,
  PEER_STALL_TIMEOUT,
  SUPERNODE_SILENCE,
} from './shared';

/** `dfget`: one file through the swarm. Flags and exit codes as those of Dragonfly 0.x. */
export const DFGET = {
  name: 'dfget',
  summary:
    'Downloads a file through the swarm, or from its origin when the swarm cannot help. To have an image at the supernode before it is pulled: dfget preheat (see dfget preheat --help).',
  usageExitCode: 1,
  flags: {
    url: { flag: 'url', short: 'u', type: 'url', required: true, text: 'What to download: an http or https URL.' },
    output: {
      flag: 'output',
      short: 'o',
      type: 'path',
      placeholder: 'FILE',
      text: 'Where to put it. Default: the last part of the URL path, in the current folder.',
    },
    node: NODE,
    nodeConfig: NODE_CONFIG,
    header: ORIGIN_HEADER,
    home: {
      flag: 'home',
      type: 'path',
      placeholder: 'DIR',
      text: 'The folder for data in transit. Default: .small-dragonfly in the home directory.',
    },
    ip: {
      flag: 'ip',
      type: 'ip',
      placeholder: 'IP',
      text: 'The address at which peers may fetch from this process. Default: the local end of the way to the supernode.',
    },
    connectTimeout: CONNECT_TIMEOUT,
    peerStallTimeout: PEER_STALL_TIMEOUT,
    supernodeSilence: SUPERNODE_SILENCE,
    originFirstByteTimeout: ORIGIN_FIRST_BYTE_TIMEOUT,
    originStallTimeout: ORIGIN_STALL_TIMEOUT,
    logLevel: { ...LOG_LEVEL, default: 'error' },
  },
} as const satisfies CommandSpec;
