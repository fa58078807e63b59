import type { CommandSpec } from '../flag';
import { LOG_LEVEL, NODE, NODE_CONFIG, ORIGIN_HEADER } from './shared';

/** `dfget preheat`: a supernode fetches an image before the nodes ask for it. */
export const DFGET_PREHEAT = {
  name: 'dfget preheat',
  summary:
    'Has a supernode fetch all blobs of an image, so that they are there when the nodes pull it. Ends with 0 when each of them is there, else with 1 and the reason for each that is not.',
  usageExitCode: 1,
  argument: {
    name: 'image',
    text: 'Such as docker.io/library/nginx:1.25, or the URL of its manifest.',
  },
  flags: {
    platform: {
      flag: 'platform',
      type: 'string',
      placeholder: 'OS/ARCH[/VARIANT]',
      repeatable: true,
      commas: true,
      text: 'A platform to fetch, such as linux/amd64. Default: all that the image is there for.',
    },
    node: NODE,
    nodeConfig: NODE_CONFIG,
    header: ORIGIN_HEADER,
    username: {
      flag: 'username',
      type: 'string',
      placeholder: 'NAME',
      text: 'The user at the registry; needs --password-file.',
    },
    passwordFile: {
      flag: 'password-file',
      type: 'path',
      placeholder: 'FILE',
      text: "A file with the user's password or token; a line feed at its end does not count.",
    },
    wait: {
      flag: 'wait',
      type: 'boolean',
      default: 'true',
      text: 'Wait for the end and show the progress.',
    },
    noWait: {
      flag: 'no-wait',
      type: 'boolean',
      default: 'false',
      text: 'End as soon as the supernode has taken the order, with 0.',
    },
    timeout: {
      flag: 'timeout',
      type: 'duration',
      default: '1h',
      min: 1000,
      max: 86_400_000,
      text: 'How long to wait at most; the supernode goes on nevertheless.',
    },
    logLevel: { ...LOG_LEVEL, default: 'error' },
  },
} as const satisfies CommandSpec;
