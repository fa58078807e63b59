import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import {
  NATIVE_VERSION,
  SESSION_PATH,
  formatRegistryRequest,
  nativeRegistration,
  parseRegistryAnswer,
  peerFilePath,
  readPublicKey,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine } from '@cdk8s-dragonfly/protocol';
import { Agent, request } from 'undici';

import { LinkFailure, linkFailure } from './failure';
import type { LinkLog } from './link-log';
import { localAddressTowards } from './local-address';
import { Patience } from './patience';
import { SupernodeSession } from './supernode-session';
import type { SessionListener } from './supernode-session';

/** A supernode to use. */
export interface SupernodeAddress {
  readonly host: string;
  readonly port: number;
}

/** Who this daemon is, to the supernode and to its neighbours. */
export interface PeerIdentity {
  readonly cid: string;
  /** Undefined: the local end of the way to the supernode. */
  readonly ip: string | undefined;
  /** The port of the peer server. */
  readonly port: number;
  /** Where this daemon stands; undefined: unknown. */
  readonly zone?: string | undefined;
}

export interface SupernodeLinkOptions {
  readonly address: SupernodeAddress;
  readonly identity: PeerIdentity;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** How long it may be silent, in milliseconds, before it counts as lost. */
  readonly silence: number;
  readonly log: LinkLog;
}

/** What a registration brought. */
export type Registered =
  | ({ readonly kind: 'joined' } & Joined)
  /** Another replica owns the blob. */
  | { readonly kind: 'elsewhere'; readonly owner: SupernodeAddress };

/** A blob's swarm, as the supernode that runs it told of it. */
export interface Joined {
  /** Where blocks are served. */
  readonly blocks: URL;
  readonly key: KeyObject;
}

/** The blob to join. */
export interface Wanted {
  readonly blob: BlobId;
  readonly url: URL;
  readonly headers: readonly HeaderLine[];
  /** Another replica sent us: this one takes us in. Default false. */
  readonly redirected?: boolean;
}

/** How many times of silence a registration may take at a supernode that answers pings. */
const MAX_PINGS = 5;

/** One supernode, as a daemon sees it: registration, and the session over which it tells what to do. */
export class SupernodeLink {
  private readonly agent: Agent;
  private readonly session: SupernodeSession;
  private readonly stopping = new AbortController();
  private localIp: string | undefined;

  constructor(private readonly options: SupernodeLinkOptions) {
    const { connectTimeout, identity, log, silence } = options;
    this.agent = new Agent({
      connect: { timeout: connectTimeout },
      headersTimeout: silence * (MAX_PINGS + 1),
      bodyTimeout: 0,
    });
    this.session = new SupernodeSession({
      name: this.name,
      url: (ip) => {
        const url = this.url(SESSION_PATH);
        url.search = new URLSearchParams({ cid: identity.cid, ip, port: `${identity.port}` }).toString();
        return url;
      },
      dispatcher: this.agent,
      silence,
      answersPing: () => this.answersPing(),
      log,
    });
  }

  get name(): string {
    const { host, port } = this.options.address;
    return `${host}:${port}`;
  }

  /**
   * Joins a blob's swarm; `listener` hears of it until {@link leave}.
   *
   * @throws LinkFailure when the supernode does not answer in time, or is one that does not speak the native protocol.
   */
  async join(wanted: Wanted, listener: SessionListener): Promise<Registered> {
    const { blob, url, headers, redirected = false } = wanted;
    const { identity, address } = this.options;
    this.stopping.signal.throwIfAborted();
    // Before the answer: what the supernode says first may overtake it.
    this.session.listen(blob, listener);
    try {
      const ip = await this.ownIp();
      const body = formatRegistryRequest({
        rawUrl: url.href,
        taskUrl: url.href,
        cid: identity.cid,
        ip,
        port: identity.port,
        path: peerFilePath(blob),
        hostName: hostname(),
        ...(isIPv4(address.host) ? { superNodeIp: address.host } : {}),
        headers,
        dfdaemon: true,
        native: { versions: [NATIVE_VERSION], blob, zone: identity.zone, ...(redirected ? { redirected } : {}) },
      });
      const registered = await this.register(body);
      if (registered.kind === 'joined') this.session.keepOpen(ip);
      else this.leave(blob, listener);
      return registered;
    } catch (error) {
      this.leave(blob, listener);
      throw linkFailure(error, `supernode ${this.name}`);
    }
  }

  /** Ends a listener. The supernode keeps this daemon as a holder of the blob. */
  leave(blob: BlobId, listener: SessionListener): void {
    this.session.unlisten(blob, listener);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the daemon is stopping'));
    await this.session.stop();
    await this.agent.destroy();
  }

  /** Registers, and pings meanwhile: a supernode that answers late but answers pings is busy, not lost. */
  private async register(body: string): Promise<Registered> {
    const done = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, done.signal]);
    const asked = request(this.url('/peer/registry'), {
      method: 'POST',
      headers: { 'content-type': 'application/json;charset=utf-8' },
      body,
      dispatcher: this.agent,
      signal,
    }).then(async ({ statusCode, body: answer }) => this.read(statusCode, await answer.text()));
    try {
      return await Promise.race([asked, this.untilLost(signal)]);
    } finally {
      done.abort(new Error('the registration has ended'));
    }
  }

  /**
   * Never resolves.
   *
   * @throws LinkFailure when a ping is not answered in time, or after too long a time with pings alone.
   */
  private async untilLost(signal: AbortSignal): Promise<never> {
    const { silence } = this.options;
    for (let pings = 0; pings < MAX_PINGS && !signal.aborted; pings += 1) {
      const next = delay(silence, undefined, { ref: false });
      if (!(await this.answersPing())) break;
      await next;
    }
    throw new LinkFailure('gone', `supernode ${this.name} does not answer`);
  }

  /** Whether the supernode answers within the time of silence. */
  private async answersPing(): Promise<boolean> {
    const { silence, log } = this.options;
    const silent = new AbortController();
    const patience = new Patience(silence, () => silent.abort(new Error(`no answer for ${silence} ms`)));
    try {
      const { statusCode, body } = await request(this.url('/_ping'), {
        dispatcher: this.agent,
        signal: AbortSignal.any([this.stopping.signal, silent.signal]),
      });
      await body.dump();
      return statusCode === 200;
    } catch (error) {
      log.debug({ supernode: this.name, err: error }, 'no answer to a ping');
      return false;
    } finally {
      patience.end();
    }
  }

  private read(status: number, body: string): Registered {
    const answer = parseRegistryAnswer(status, body);
    if (answer.kind === 'unusable') throw new LinkFailure('lying', `supernode ${this.name}: ${answer.fault}`);
    if (answer.kind === 'refused') {
      throw new LinkFailure('gone', `supernode ${this.name} refused with code ${answer.code}: ${answer.msg}`);
    }
    const native = nativeRegistration.safeParse(answer.native);
    if (!native.success) {
      throw new LinkFailure(
        'gone',
        `supernode ${this.name} does not speak the native protocol, version ${NATIVE_VERSION}`,
      );
    }
    if ('owner' in native.data) {
      const { owner } = native.data;
      return { kind: 'elsewhere', owner: { host: owner.ip, port: owner.port } };
    }
    const { ip, port } = native.data.blocks;
    const host = ip.includes(':') ? `[${ip}]` : ip;
    return { kind: 'joined', blocks: new URL(`http://${host}:${port}`), key: readPublicKey(native.data.key) };
  }

  private async ownIp(): Promise<string> {
    const { identity, address, connectTimeout } = this.options;
    this.localIp ??= identity.ip ?? (await localAddressTowards(address.host, address.port, connectTimeout));
    return this.localIp;
  }

  private url(path: string): URL {
    const { host, port } = this.options.address;
    return new URL(path, `http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
}
