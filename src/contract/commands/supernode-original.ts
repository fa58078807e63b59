import type { FlagSpec, IgnoredKey } from '../flag';

const MAKES_ROOM = 'blobs go when room is needed, see --disk-quota and --min-free';
const FORGETS = 'who is gone is forgotten by itself';
const MIB = 1024 * 1024;
/** What no network has: a number above it is one of bytes, as Dragonfly 1.0 reads it. */
const MOST_MIB = 1_000_000;

/**
 * What else the original supernode takes on its command line and below `base` of its file (Dragonfly 0.x protocol, 1.4 and 1.5). Those of
 * Dragonfly 1.0 write rates and durations with their units, 0.4 numbers of MB and minutes.
 */
export const SUPERNODE_ORIGINAL_FLAGS = {
  maxBandwidth: {
    flag: 'max-bandwidth',
    type: 'mebibytes',
    placeholder: 'MB/S',
    min: MIB,
    max: MOST_MIB * MIB,
    key: 'base.maxBandwidth',
    text: 'What downloads from origins may take of the network, in MiB a second or with a unit such as 200M, less --system-bandwidth. Default: no limit.',
  },
  systemBandwidth: {
    flag: 'system-bandwidth',
    type: 'mebibytes',
    placeholder: 'MB/S',
    default: '20',
    max: MOST_MIB * MIB,
    key: 'base.systemReservedBandwidth',
    text: 'What of --max-bandwidth is kept for others, in MiB a second or with a unit such as 20M; says nothing without it.',
  },
  failAccessInterval: {
    flag: 'fail-access-interval',
    type: 'minutes',
    placeholder: 'MINUTES',
    default: '0',
    max: 86_400_000,
    key: 'base.failAccessInterval',
    text: 'How long an origin that did not give a file is not asked for it again, in minutes or with a unit such as 3m; 0: the next client tries again, but for what it refused (401, 403, 404) only after 5 seconds.',
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
  cdnPattern: {
    flag: 'cdn-pattern',
    type: 'string',
    key: 'base.cdnPattern',
    emptyIsAbsent: true,
    noEffect: 'blobs are always kept here, and those that cannot be come straight from the origin',
    text: 'Whether the original keeps files or leaves clients to the origin.',
  },
  gcInitialDelay: {
    flag: 'gc-initial-delay',
    type: 'string',
    key: 'base.gcInitialDelay',
    noEffect: MAKES_ROOM,
    text: 'When the original first looks for what may go.',
  },
  gcMetaInterval: {
    flag: 'gc-meta-interval',
    type: 'string',
    key: 'base.gcMetaInterval',
    noEffect: FORGETS,
    text: 'How often the original forgets tasks and clients.',
  },
  taskExpireTime: {
    flag: 'task-expire-time',
    type: 'string',
    key: 'base.taskExpireTime',
    noEffect: MAKES_ROOM,
    text: 'When a file that nobody asks for goes at the original.',
  },
  peerGcDelay: {
    flag: 'peer-gc-delay',
    type: 'string',
    key: 'base.peerGCDelay',
    noEffect: FORGETS,
    text: 'When the original forgets a client that has said goodbye.',
  },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** Keys of the original's file that set nothing here; a file that has them is still a good one. */
export const SUPERNODE_IGNORED_KEYS = [
  { key: 'base.eliminationLimit', text: 'a holder is left alone after 5 failures, as with the originals' },
  { key: 'base.failureCountLimit', text: 'a client has its pieces from the supernode after 5 failures of others' },
  { key: 'base.linkLimit', text: 'original clients are told the 20 MiB a second of the originals' },
  { key: 'base.peerExpireTime', text: FORGETS },
  { key: 'base.maxSeedPerObject', text: 'no client is chosen to keep a file for the others' },
  { key: 'base.gcDiskInterval', text: MAKES_ROOM },
  { key: 'base.youngGCThreshold', text: MAKES_ROOM },
  { key: 'base.fullGCThreshold', text: MAKES_ROOM },
  { key: 'base.IntervalThreshold', text: MAKES_ROOM },
  { key: 'base.cleanratio', text: MAKES_ROOM },
  { key: 'base.downloadpath', text: 'blobs are kept below --home-dir' },
  { key: 'base.logConfig', text: 'the log goes to standard error, see --log-level' },
  { key: 'plugins', text: 'there are none' },
  { key: 'storages', text: 'blobs are kept below --home-dir' },
] as const satisfies readonly IgnoredKey[];
