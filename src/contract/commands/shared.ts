import type { FlagSpec } from '../flag';

/** Flags that every long-running command has. */
export const LOG_LEVEL = {
  flag: 'log-level',
  type: 'choice',
  choices: ['error', 'warn', 'info', 'debug'],
  default: 'info',
  text: 'The least important log lines to write; logs are JSON lines on standard error.',
} as const satisfies FlagSpec;

/** The most that a daemon's own store takes on disk. With less, next to no layer would fit, and each pull would go past the swarm. */
export const DISK_QUOTA = {
  flag: 'disk-quota',
  type: 'size',
  min: 64 * 1024 ** 2,
  text: 'The most that the store may take on disk, data and tables; blobs not used for the longest time go first.',
} as const satisfies FlagSpec;

/** What others on the same disk are left with. */
export const MIN_FREE = {
  flag: 'min-free',
  type: 'size',
  min: 0,
  text: 'What must stay free on the disk of the store; nothing is written that would leave less.',
} as const satisfies FlagSpec;

/** How long a TCP connection may take to open, towards peers, supernode and origin. */
export const CONNECT_TIMEOUT = {
  flag: 'connect-timeout',
  type: 'duration',
  default: '1s',
  min: 50,
  max: 60_000,
  text: 'How long a connection to a peer or a supernode may take to open.',
} as const satisfies FlagSpec;

export const PEER_STALL_TIMEOUT = {
  flag: 'peer-stall-timeout',
  type: 'duration',
  default: '2s',
  min: 100,
  max: 60_000,
  text: 'How long a peer or the supernode may send nothing before another source is asked.',
} as const satisfies FlagSpec;

export const ORIGIN_FIRST_BYTE_TIMEOUT = {
  flag: 'origin-first-byte-timeout',
  type: 'duration',
  default: '15s',
  min: 100,
  max: 300_000,
  text: 'How long an origin may take from the request to the head of its answer.',
} as const satisfies FlagSpec;

export const ORIGIN_STALL_TIMEOUT = {
  flag: 'origin-stall-timeout',
  type: 'duration',
  default: '10s',
  min: 100,
  max: 300_000,
  text: 'How long an origin may send nothing in the middle of a body.',
} as const satisfies FlagSpec;

/** The INI file that names the supernodes, as the original clients read it. */
export const NODE_CONFIG = {
  flag: 'node-config',
  type: 'path',
  placeholder: 'FILE',
  default: '/etc/dragonfly.conf',
  text: 'INI file whose [node] section names the supernodes (address=HOST[:PORT],...); used when --node is absent.',
} as const satisfies FlagSpec;

export const NODE = {
  flag: 'node',
  short: 'n',
  type: 'address',
  placeholder: 'HOST[:PORT]',
  repeatable: true,
  commas: true,
  weighted: true,
  text: 'A supernode; the port is 8002 when absent. Wins over the node file. A weight behind it (HOST:PORT=2) does nothing.',
} as const satisfies FlagSpec;

export const SUPERNODE_SILENCE = {
  flag: 'supernode-silence',
  type: 'duration',
  default: '1s',
  min: 100,
  max: 60_000,
  text: 'How long the supernode may be silent before it counts as lost and the origin may be asked.',
} as const satisfies FlagSpec;

export const ORIGIN_HEADER = {
  flag: 'header',
  type: 'string',
  placeholder: "'NAME: VALUE'",
  repeatable: true,
  text: 'A header to send to the origin; not those that are set for each request, such as Host and Range.',
} as const satisfies FlagSpec;

/** How origins are reached over TLS; beside these, HTTPS_PROXY, HTTP_PROXY and NO_PROXY count. */
export const ORIGIN_TLS = {
  originCa: {
    flag: 'origin-ca',
    type: 'string',
    placeholder: '[HOST[:PORT]=]FILE',
    repeatable: true,
    text: 'PEM file of authorities to trust beside the usual ones, for a host or for all. Read anew when it changes.',
  },
  originCert: {
    flag: 'origin-cert',
    type: 'string',
    placeholder: 'HOST[:PORT]=FILE',
    repeatable: true,
    text: 'PEM file of the client certificate that is shown to a host; needs --origin-key. Read anew when it changes.',
  },
  originKey: {
    flag: 'origin-key',
    type: 'string',
    placeholder: 'HOST[:PORT]=FILE',
    repeatable: true,
    text: 'PEM file of the private key of --origin-cert. Read anew when it changes.',
  },
} as const satisfies Readonly<Record<string, FlagSpec>>;
