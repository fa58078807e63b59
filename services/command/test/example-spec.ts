import type { CommandSpec } from '@cdk8s-dragonfly/contract';

/** A command with a flag of every type, for tests. */
export const EXAMPLE = {
  name: 'example',
  summary: 'Shows what flags of every type look like.',
  flags: {
    config: { flag: 'config', type: 'path', placeholder: 'FILE', default: '/etc/example.yml', text: 'The settings.' },
    registry: {
      flag: 'registry',
      type: 'url',
      required: true,
      env: 'REGISTRY',
      key: 'mirror.remote',
      text: 'Where images come from.',
    },
    node: {
      flag: 'node',
      short: 'n',
      type: 'address',
      placeholder: 'HOST[:PORT]',
      repeatable: true,
      commas: true,
      key: 'nodes',
      text: 'A supernode.',
    },
    header: { flag: 'header', type: 'string', repeatable: true, env: 'HEADER', text: 'A header.' },
    output: { flag: 'output', short: 'o', type: 'path', text: 'A file.' },
    workers: { flag: 'workers', type: 'integer', default: '4', min: 1, max: 64, key: 'workers', text: 'How many.' },
    retries: { flag: 'retries', type: 'integer', text: 'How often.' },
    port: { flag: 'port', type: 'port', default: '8002', env: 'PORT', key: 'base.port', text: 'The port.' },
    anyPort: { flag: 'any-port', type: 'port', min: 0, default: '0', text: 'A port.' },
    listen: { flag: 'listen', type: 'address', min: 0, default: '127.0.0.1:0', text: 'An address.' },
    quota: { flag: 'quota', type: 'size', default: '1GiB', min: 1048576, key: 'base.quota', text: 'Space.' },
    wait: { flag: 'wait', type: 'duration', default: '1s', min: 50, max: 60_000, env: 'WAIT', text: 'A wait.' },
    ip: { flag: 'ip', type: 'ip', text: 'An address.' },
    verbose: { flag: 'verbose', type: 'boolean', default: 'false', key: 'verbose', text: 'Say more.' },
    level: {
      flag: 'log-level',
      type: 'choice',
      choices: ['error', 'warn', 'info'],
      default: 'info',
      text: 'The level.',
    },
  },
} as const satisfies CommandSpec;

/** A command with sub-commands, for tests. */
export const FREE = {
  name: 'free',
  summary: 'Takes any text.',
  argument: { name: 'image', text: 'An image.' },
  flags: {},
} as const satisfies CommandSpec;

export const MODAL = {
  name: 'modal',
  summary: 'Has modes.',
  usageExitCode: 1,
  argument: { name: 'mode', choices: ['apply', 'plan', 'check'], text: 'What to do.' },
  flags: { url: { flag: 'url', short: 'u', type: 'url', text: 'A URL.' } },
} as const satisfies CommandSpec;

/** A command whose configuration file has a list, for tests. */
export const LISTING = {
  name: 'listing',
  summary: 'Has a list.',
  flags: {
    config: { flag: 'config', type: 'path', placeholder: 'FILE', default: '/etc/example.yml', text: 'The settings.' },
    port: { flag: 'port', type: 'port', default: '8002', key: 'base.port', text: 'The port.' },
  },
  lists: {
    hosts: {
      key: 'base.hosts',
      text: 'Hosts.',
      fields: {
        host: { type: 'string', required: true, text: 'Its name.' },
        certs: { type: 'path', repeatable: true, text: 'Its certificates.' },
        direct: { type: 'boolean', default: 'false', text: 'Whether it is asked itself.' },
      },
    },
  },
} as const satisfies CommandSpec;
