import type { ArgumentsKey, FlagSpec, IgnoredKey } from '../flag';

/** What else the original df-daemon takes on its command line and in its file (Dragonfly 0.x protocol, 7.1 and 7.3). */
export const DFDAEMON_ORIGINAL_FLAGS = {
  certPem: {
    flag: 'certpem',
    type: 'path',
    placeholder: 'FILE',
    key: 'certpem',
    emptyIsAbsent: true,
    text: 'PEM file of the certificate with which the mirror speaks https; needs --keypem. Read anew when it changes. Default: it speaks http.',
  },
  keyPem: {
    flag: 'keypem',
    type: 'path',
    placeholder: 'FILE',
    key: 'keypem',
    emptyIsAbsent: true,
    text: 'PEM file of the private key of --certpem. Read anew when it changes.',
  },
  debug: {
    flag: 'verbose',
    type: 'boolean',
    default: 'false',
    key: 'verbose',
    text: 'The same as --log-level debug.',
  },
  dfpath: {
    flag: 'dfpath',
    type: 'path',
    key: 'dfpath',
    emptyIsAbsent: true,
    noEffect: 'the daemon fetches by itself',
    text: 'The program of the original that fetches.',
  },
  localrepo: {
    flag: 'localrepo',
    type: 'path',
    key: 'localrepo',
    emptyIsAbsent: true,
    noEffect: 'blobs are kept below --data-dir',
    text: 'The folder of the original for files in transit.',
  },
  callsystem: {
    flag: 'callsystem',
    type: 'string',
    key: 'callsystem',
    emptyIsAbsent: true,
    noEffect: 'nothing is counted by it',
    text: 'The name under which the original counts.',
  },
  urlfilter: {
    flag: 'urlfilter',
    type: 'string',
    key: 'urlfilter',
    emptyIsAbsent: true,
    noEffect: 'a blob is named by its digest, whatever else stands in its URL',
    text: 'Parameters of URLs that the original leaves out of the name of a blob.',
  },
  notbs: {
    flag: 'notbs',
    type: 'boolean',
    key: 'notbs',
    noEffect: 'a pull goes on from its registry when the swarm cannot help',
    text: 'Whether the original leaves the origin alone when the swarm fails.',
  },
  maxprocs: {
    flag: 'maxprocs',
    type: 'integer',
    key: 'maxprocs',
    noEffect: 'Node.js decides over its threads',
    text: 'The threads of the original.',
  },
  workHome: {
    flag: 'workHome',
    type: 'path',
    key: 'workHome',
    emptyIsAbsent: true,
    noEffect: 'blobs are kept below --data-dir',
    text: 'The folder of the original for all that it keeps.',
  },
  streamMode: {
    flag: 'streamMode',
    type: 'boolean',
    key: 'streamMode',
    noEffect: 'a blob is always passed on while it comes',
    text: 'Whether the original passes a blob on while it comes.',
  },
  originalPeerPort: {
    flag: 'peerPort',
    type: 'integer',
    key: 'peerPort',
    noEffect: 'neighbours are served at --peer-port',
    text: 'The port of the original for others in its stream mode.',
  },
} as const satisfies Readonly<Record<string, FlagSpec>>;

/** The key of dfdaemon.yml with the arguments that the original since 0.4.3 runs dfget with. */
export const DFGET_FLAGS = {
  key: 'dfget_flags',
  text: 'there is no dfget to pass them to',
} as const satisfies ArgumentsKey;

/** Keys of dfdaemon.yml that the original reads and that set nothing here. */
export const DFDAEMON_IGNORED_KEYS = [
  {
    key: 'registry_mirror.insecure',
    text: 'certificates are always checked; name their authority in registry_mirror.certs',
  },
  { key: 'localIP', text: 'neighbours are served at --peer-ip, and told --advertise-ip' },
  { key: 'logConfig', text: 'the log goes to standard error, see --log-level' },
] as const satisfies readonly IgnoredKey[];
