import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';

import {
  NATIVE_VERSION,
  RESULT_CODE,
  formatRegistryRequest,
  nativeRefusal,
  nativeRegistration,
  parseRegistryAnswer,
  peerFilePath,
  readPublicKey,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine, Registration, TaskIdentity } from '@cdk8s-dragonfly/protocol';

import { LinkFailure } from './failure';

/** A supernode to use. */
export interface SupernodeAddress {
  readonly host: string;
  readonly port: number;
}

/** A replica that owns a blob, as another tells of it. */
export interface Owner extends SupernodeAddress {
  /** `HOST:PORT` by which the replicas know it; undefined: not told. */
  readonly name?: string | undefined;
  /** Which process it is; undefined: not told. */
  readonly process?: string | undefined;
}

/** Who this daemon is, to the supernode and to its neighbours. */
export interface PeerIdentity {
  readonly cid: string;
  /** Shows supernodes that the name is ours; nobody else is told. */
  readonly key: string;
  /** Undefined: the local end of the way to the supernode. */
  readonly ip: string | undefined;
  /** The port of the peer server. */
  readonly port: number;
  /** Whether it serves others; else supernodes are told of no port (Dragonfly 0.x protocol, 2.1). Default true. */
  readonly serves?: boolean;
  /** Where this daemon stands; undefined: unknown. */
  readonly zone?: string | undefined;
}

/** The blob to join. */
export interface Wanted {
  readonly blob: BlobId;
  readonly url: URL;
  readonly headers: readonly HeaderLine[];
  /** What a blob without a digest is named after. Default: the URL. */
  readonly task?: TaskIdentity | undefined;
  /** Another replica sent us: this one takes us in. Default false. */
  readonly redirected?: boolean;
  /** Replicas, as `HOST:PORT`, that do not answer: they own nothing. Default: none. */
  readonly without?: readonly string[];
  /** We were in its swarm before, and may have blocks of it. Default false. */
  readonly resumes?: boolean;
}

/** A blob's swarm, as the supernode that runs it told of it. */
export interface Joined {
  /** Where blocks are served. */
  readonly blocks: URL;
  readonly key: KeyObject;
}

/** What a registration was answered. */
export type RegistrationAnswer =
  | ({ readonly kind: 'joined' } & Joined)
  /** Another replica owns the blob. */
  | { readonly kind: 'elsewhere'; readonly owner: Owner }
  /** The supernode is an original one, which knows nothing of the native protocol. */
  | { readonly kind: 'original'; readonly registration: Registration }
  /** It is to be asked again after so many milliseconds. `process`: which of its processes says so; undefined: it does not say. */
  | { readonly kind: 'later'; readonly after: number; readonly process: string | undefined };

/** The peer ports that original Go supernodes take (Dragonfly 0.x protocol, 2.1). */
const LOWEST_ORIGINAL_PORT = 15_000;
const HIGHEST_ORIGINAL_PORT = 65_000;

/** A supernode that is checking the credentials of others is asked again after so many milliseconds (Dragonfly 0.x protocol, 4.2). */
const WAIT_AUTH = 2500;

/** Who registers where. */
export interface Registering {
  readonly identity: Omit<PeerIdentity, 'ip'>;
  /** Ours, as the supernode can reach it. */
  readonly ip: string;
  /** The supernode's address. */
  readonly host: string;
  /** Whether it is an original one. */
  readonly isOriginal: boolean;
}

/** The body of `POST /peer/registry`. */
export function registrationText(wanted: Wanted, { identity, ip, host, isOriginal }: Registering): string {
  const { blob, url, headers, task = { taskUrl: url.href } } = wanted;
  const { redirected = false, without = [], resumes = false } = wanted;
  const { cid, port, serves = true, zone } = identity;
  const fits = !isOriginal || (port >= LOWEST_ORIGINAL_PORT && port <= HIGHEST_ORIGINAL_PORT);
  return formatRegistryRequest({
    rawUrl: url.href,
    ...task,
    cid,
    ip,
    // Without a port it is no holder, and is served all the same.
    port: serves && fits ? port : 0,
    path: peerFilePath(blob),
    hostName: hostname(),
    ...(isIPv4(host) ? { superNodeIp: host } : {}),
    headers,
    dfdaemon: true,
    native: {
      versions: [NATIVE_VERSION],
      blob,
      zone,
      waits: true,
      ...(redirected ? { redirected } : {}),
      ...(without.length > 0 ? { without } : {}),
      ...(resumes ? { resumes } : {}),
    },
  });
}

/** @param name the supernode's. @throws LinkFailure when it refuses, or answers what is not of the protocol. */
export function readRegistration(status: number, body: string, name: string): RegistrationAnswer {
  const answer = parseRegistryAnswer(status, body);
  if (answer.kind === 'unusable') throw new LinkFailure('lying', `supernode ${name}: ${answer.fault}`);
  if (answer.kind === 'refused') {
    if (answer.code === RESULT_CODE.waitAuth) {
      const told = nativeRefusal.safeParse(answer.native);
      if (!told.success) return { kind: 'later', after: WAIT_AUTH, process: undefined };
      return { kind: 'later', after: told.data.later, process: told.data.process };
    }
    throw new LinkFailure('gone', `supernode ${name} refused with code ${answer.code}: ${answer.msg}`);
  }
  if (answer.native === undefined) return { kind: 'original', registration: answer.registration };
  const native = nativeRegistration.safeParse(answer.native);
  if (!native.success) {
    const wanted = `version ${NATIVE_VERSION} of the native protocol`;
    throw new LinkFailure('lying', `supernode ${name} does not answer as ${wanted} has it`);
  }
  if ('owner' in native.data) {
    const { ip: host, ...owner } = native.data.owner;
    return { kind: 'elsewhere', owner: { host, ...owner } };
  }
  const { ip, port } = native.data.blocks;
  const host = ip.includes(':') ? `[${ip}]` : ip;
  return { kind: 'joined', blocks: new URL(`http://${host}:${port}`), key: readPublicKey(native.data.key) };
}
