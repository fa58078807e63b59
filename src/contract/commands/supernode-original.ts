import type { FlagSpec, IgnoredKey } from '../flag';

/** What else the original supernode takes on its command line and below `base` of its file (Dragonfly 0.x protocol, 1.4 and 1.5). */
export const SUPERNODE_ORIGINAL_FLAGS = {
  maxBandwidth: {
    flag: 'max-bandwidth',
    type: 'integer',
    placeholder: 'MB/S',
    min: 1,
    key: 'base.maxBandwidth',
    text: 'What downloads from origins may take of the network, in MiB a second, less --system-bandwidth. Default: no limit.',
  },
  systemBandwidth: {
    flag: 'system-bandwidth',
    type: 'integer',
    placeholder: 'MB/S',
    default: '20',
    key: 'base.systemReservedBandwidth',
    text: 'What of --max-bandwidth is kept for others, in MiB a second; says nothing without it.',
  },
  failAccessInterval: {
    flag: 'fail-access-interval',
    type: 'integer',
    placeholder: 'MINUTES',
    default: '0',
    max: 1440,
    key: 'base.failAccessInterval',
    text: 'How many minutes an origin that did not give a file is not asked for it again; 0: the next client tries again, but for what it refused (401, 403, 404) only after 5 seconds.',
  },
  debug: {
    flag: 'debug',
    short: 'D',
    type: 'boolean',
    default: 'false',
    key: 'base.debug',
    text: 'The same as --log-level debug.',
  },
  downloadPath: {
    flag: 'download-path',
    type: 'path',
    placeholder: 'DIR',
    key: 'base.downloadPath',
    emptyIsAbsent: true,
    noEffect: 'blobs are kept below --home-dir',
    text: 'The folder of the original for pieces.',
  },
  poolSize: {
    flag: 'pool-size',
    type: 'integer',
    key: 'base.schedulerCorePoolSize',
    noEffect: 'there is no pool of threads',
    text: 'The threads of the original that schedule pieces.',
  },
  profiler: {
    flag: 'profiler',
    type: 'boolean',
    key: 'base.enableProfiler',
    noEffect: 'Node.js has its own: node --cpu-prof, node --inspect',
    text: 'The profiler of the original.',
  },
  upLimit: {
    flag: 'up-limit',
    type: 'integer',
    key: 'base.peerUpLimit',
    noEffect: 'an original client gives 5 pieces at once, as with the originals, which pass over it too',
    text: 'The uploads at once of an original client.',
  },
  downLimit: {
    flag: 'down-limit',
    type: 'integer',
    key: 'base.peerDownLimit',
    noEffect: 'an original client fetches 4 pieces at once, as with the originals, which pass over it too',
    text: 'The downloads at once of an original client.',
  },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** Keys of the original's file that set nothing here; a file that has them is still a good one. */
export const SUPERNODE_IGNORED_KEYS = [
  { key: 'base.eliminationLimit', text: 'a holder is left alone after 5 failures, as with the originals' },
  { key: 'base.failureCountLimit', text: 'a client has its pieces from the supernode after 5 failures of others' },
  { key: 'base.linkLimit', text: 'original clients are told the 20 MiB a second of the originals' },
  { key: 'plugins', text: 'there are none' },
  { key: 'storages', text: 'blobs are kept below --home-dir' },
] as const satisfies readonly IgnoredKey[];
