import type { CommandSpec } from '../flag';
import { PATHS } from '../paths';
import { PORTS } from '../ports';
import { DFDAEMON_IGNORED_KEYS, DFDAEMON_ORIGINAL_FLAGS } from './dfdaemon-original';
import {
  CONNECT_TIMEOUT,
  DISK_QUOTA,
  LOG_LEVEL,
  MIN_FREE,
  NODE,
  NODE_CONFIG,
  ORIGIN_FIRST_BYTE_TIMEOUT,
  ORIGIN_STALL_TIMEOUT,
  ORIGIN_TLS,
  PEER_STALL_TIMEOUT,
  SUPERNODE_SILENCE,
} from './shared';

/** `dfdaemon`: the mirror on every node. Flags of Dragonfly 0.x keep their names. */
export const DFDAEMON = {
  name: 'dfdaemon',
  summary: 'A registry mirror for the container runtime of this node, fed by the supernode and the other nodes.',
  flags: {
    config: {
      flag: 'config',
      type: 'path',
      placeholder: 'FILE',
      default: PATHS.dfdaemonConfig,
      text: 'YAML file with more settings; the default one may be missing, a named one may not.',
    },
    registry: {
      flag: 'registry',
      type: 'string',
      placeholder: '[HOST=]URL',
      repeatable: true,
      commas: true,
      required: true,
      env: 'REGISTRY',
      key: 'registry_mirror.remote',
      text: 'The registry behind the mirror; HOST=URL adds one that clients ask for by ns=HOST or by /v2/HOST/NAME. The first is the default.',
    },
    node: { ...NODE, key: 'supernodes' },
    nodeConfig: NODE_CONFIG,
    hostIp: {
      flag: 'hostIp',
      type: 'ip',
      placeholder: 'IP',
      default: '127.0.0.1',
      key: 'hostIp',
      text: 'The address that the mirror listens on.',
    },
    port: {
      flag: 'port',
      type: 'port',
      default: `${PORTS.mirror}`,
      key: 'port',
      text: 'The port of the mirror.',
    },
    peerIp: {
      flag: 'peer-ip',
      type: 'ip',
      placeholder: 'IP',
      default: '0.0.0.0',
      text: 'The address that neighbours are served on.',
    },
    peerPort: {
      flag: 'peer-port',
      type: 'port',
      default: `${PORTS.peer}`,
      text: 'The port that gives blocks to neighbours.',
    },
    opsListen: {
      flag: 'ops-listen',
      type: 'address',
      placeholder: 'IP:PORT',
      default: `0.0.0.0:${PORTS.ops}`,
      text: 'Where /readyz, /livez and /metrics answer.',
    },
    advertiseIp: {
      flag: 'advertise-ip',
      type: 'ip',
      placeholder: 'IP',
      env: 'HOST_IP',
      text: 'The address that neighbours are told to reach this node at. Default: the local end of the way to the supernode.',
    },
    zone: {
      flag: 'zone',
      type: 'string',
      env: 'ZONE',
      text: 'Where this node stands, such as a zone of a cloud: it trades with nodes of its own zone first.',
    },
    dataDir: {
      flag: 'data-dir',
      type: 'path',
      placeholder: 'DIR',
      default: PATHS.dfdaemonHome,
      text: 'The folder for the store.',
    },
    // The runtime keeps what it has unpacked: a node's store is for its neighbours, and its disk belongs to the workloads.
    diskQuota: { ...DISK_QUOTA, default: '20GiB' },
    minFree: { ...MIN_FREE, default: '5GiB' },
    blobAuthorization: {
      flag: 'blob-authorization',
      type: 'choice',
      choices: ['origin', 'none'],
      default: 'origin',
      text: 'Who says whether a client may have a blob that is on the node: its registry, or nobody (all may).',
    },
    connectTimeout: CONNECT_TIMEOUT,
    peerStallTimeout: PEER_STALL_TIMEOUT,
    supernodeSilence: SUPERNODE_SILENCE,
    originFirstByteTimeout: ORIGIN_FIRST_BYTE_TIMEOUT,
    originStallTimeout: ORIGIN_STALL_TIMEOUT,
    ...ORIGIN_TLS,
    originCa: { ...ORIGIN_TLS.originCa, key: 'registry_mirror.certs' },
    logLevel: LOG_LEVEL,
    ...DFDAEMON_ORIGINAL_FLAGS,
  },
  lists: {
    registries: {
      key: 'registries',
      text: 'Further registries, as --registry HOST=URL, each with its certificates.',
      fields: {
        host: {
          type: 'string',
          required: true,
          text: 'The host that images are named after, with its port if it has one, such as harbor.example.com.',
        },
        url: { type: 'url', required: true, text: 'Where it answers: scheme, host and port.' },
        certs: {
          type: 'path',
          repeatable: true,
          text: 'PEM files of authorities to trust for it beside the usual ones.',
        },
        client_cert: { type: 'path', text: 'PEM file of the client certificate that it is shown; needs client_key.' },
        client_key: { type: 'path', text: 'PEM file of the private key of client_cert.' },
      },
    },
  },
  ignoredKeys: DFDAEMON_IGNORED_KEYS,
} as const satisfies CommandSpec;
