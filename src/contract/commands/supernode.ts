import { ALL_ADDRESSES } from '../all-addresses';
import type { CommandSpec } from '../flag';
import { PATHS } from '../paths';
import { PORTS } from '../ports';
import { DISK_QUOTA, LOG_LEVEL, MIN_FREE, ORIGIN_FIRST_BYTE_TIMEOUT, ORIGIN_STALL_TIMEOUT, ORIGIN_TLS } from './shared';
import { SUPERNODE_IGNORED_KEYS, SUPERNODE_ORIGINAL_FLAGS } from './supernode-original';

/** `supernode`: flags, defaults and configuration keys (`base.*` of supernode.yml) as those of Dragonfly 0.4. */
export const SUPERNODE = {
  name: 'supernode',
  summary:
    'Fetches each blob once from its origin and hands it on to df-daemons and to original Dragonfly 0.x clients.',
  flags: {
    config: {
      flag: 'config',
      type: 'path',
      placeholder: 'FILE',
      default: PATHS.supernodeConfig,
      text: 'YAML file with more settings; the default one may be missing, a named one may not.',
    },
    listenIp: {
      flag: 'listen-ip',
      type: 'ip',
      placeholder: 'IP',
      default: ALL_ADDRESSES,
      text: 'The address that the ports listen on; all of IPv6 and IPv4 by default, of IPv4 alone where there is no IPv6.',
    },
    port: {
      flag: 'port',
      type: 'port',
      default: `${PORTS.supernodeApi}`,
      key: 'base.listenPort',
      text: 'The port of the control API.',
    },
    downloadPort: {
      flag: 'download-port',
      type: 'port',
      default: `${PORTS.supernodePieces}`,
      key: 'base.downloadPort',
      text: 'The port that gives pieces and blocks.',
    },
    homeDir: {
      flag: 'home-dir',
      type: 'path',
      placeholder: 'DIR',
      default: PATHS.supernodeHome,
      key: 'base.homeDir',
      emptyIsAbsent: true,
      text: 'The folder for the store and the signing key.',
    },
    diskQuota: { ...DISK_QUOTA, default: '50GiB' },
    minFree: { ...MIN_FREE, default: '5GiB' },
    advertiseIp: {
      flag: 'advertise-ip',
      type: 'ip',
      placeholder: 'IP',
      key: 'base.advertiseIP',
      emptyIsAbsent: true,
      text: 'The address that clients are told to fetch pieces from. Default: the first address that is not loopback.',
    },
    allowOrigin: {
      flag: 'allow-origin',
      type: 'address',
      placeholder: 'HOST[:PORT]',
      repeatable: true,
      text: 'An origin that may be fetched from, and no other. Default: any host but loopback and link-local addresses.',
    },
    tokenServer: {
      flag: 'token-server',
      type: 'string',
      placeholder: 'REGISTRY=HOST[:PORT]',
      repeatable: true,
      text: 'A host besides its own that a preheat may show the credentials of a registry for a token, and that may be inside.',
    },
    peers: {
      flag: 'peers',
      type: 'address',
      placeholder: 'HOST[:PORT]',
      repeatable: true,
      commas: true,
      text: 'All replicas of the supernode, this one too, the same list at each; the port is 8002 when absent.',
    },
    signingKey: {
      flag: 'signing-key',
      type: 'path',
      placeholder: 'FILE',
      text: 'The Ed25519 key (PEM) that attests blocks; replicas share one. Default: one in the home directory, made when missing. Read at the start.',
    },
    originFirstByteTimeout: ORIGIN_FIRST_BYTE_TIMEOUT,
    originStallTimeout: ORIGIN_STALL_TIMEOUT,
    ...ORIGIN_TLS,
    logLevel: LOG_LEVEL,
    ...SUPERNODE_ORIGINAL_FLAGS,
  },
  ignoredKeys: SUPERNODE_IGNORED_KEYS,
} as const satisfies CommandSpec;
