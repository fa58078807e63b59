import { hostname } from 'node:os';
import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

import {
  NATIVE_VERSION,
  SESSION_PATH,
  formatRegistryRequest,
  nativeRegistration,
  parseRegistryAnswer,
  readPublicKey,
  sessionEvent,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine, SessionEvent } from '@cdk8s-dragonfly/protocol';
import { Agent, request } from 'undici';

import { LinkFailure, linkFailure } from './failure';
import { openLines } from './line-stream';
import { localAddressTowards } from './local-address';

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

/** Where links write what happens to them. */
export interface LinkLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
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

/** What a download hears of its blob. */
export interface SessionListener {
  event(event: Exclude<SessionEvent, { type: 'ping' }>): void;
  /** The supernode is lost; what it said last is all there is. */
  lost(reason: Error): void;
}

/** The same for a supernode that answers pings. */
const REOPEN_AFTER_PING = 50;

/** The waits between tries to open a lost session anew, in milliseconds. */
const REOPEN_AFTER = [200, 500, 1000, 2000, 5000];

/** How often a registration that gets no answer is tried at a supernode that answers pings. */
const MAX_TRIES = 5;

/** One supernode, as a daemon sees it: registration, and the session over which it tells what to do. */
export class SupernodeLink {
  private readonly agent: Agent;
  private readonly listeners = new Map<BlobId, SessionListener>();
  private readonly stopping = new AbortController();
  private session: Promise<void> | undefined;
  /** Aborts when a lost session should be opened anew without waiting on. */
  private reopening = new AbortController();
  private localIp: string | undefined;

  constructor(private readonly options: SupernodeLinkOptions) {
    const { connectTimeout, silence } = options;
    this.agent = new Agent({ connect: { timeout: connectTimeout }, headersTimeout: silence * 2, bodyTimeout: 0 });
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
    this.listeners.set(blob, listener);
    try {
      const ip = await this.ownIp();
      const body = formatRegistryRequest({
        rawUrl: url.href,
        taskUrl: url.href,
        cid: identity.cid,
        ip,
        port: identity.port,
        path: `/peer/file/${identity.cid}`,
        hostName: hostname(),
        ...(isIPv4(address.host) ? { superNodeIp: address.host } : {}),
        headers,
        dfdaemon: true,
        native: { versions: [NATIVE_VERSION], blob, ...(redirected ? { redirected } : {}) },
      });
      const registered = await this.register(body);
      if (registered.kind === 'joined') this.keepSession(ip);
      else this.leave(blob, listener);
      return registered;
    } catch (error) {
      if (this.listeners.get(blob) === listener) this.listeners.delete(blob);
      throw linkFailure(error, `supernode ${this.name}`);
    }
  }

  /** Ends a listener. The supernode keeps this daemon as a holder of the blob. */
  leave(blob: BlobId, listener: SessionListener): void {
    if (this.listeners.get(blob) === listener) this.listeners.delete(blob);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the daemon is stopping'));
    await this.session;
    await this.agent.destroy();
  }

  /** Registers; asks again when the answer is late but the supernode answers a ping: it is busy, not lost. */
  private async register(body: string): Promise<Registered> {
    const { silence } = this.options;
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await request(this.url('/peer/registry'), {
          method: 'POST',
          headers: { 'content-type': 'application/json;charset=utf-8' },
          body,
          dispatcher: this.agent,
          signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(silence)]),
        });
        return this.read(answer.statusCode, await answer.body.text());
      } catch (error) {
        if (error instanceof LinkFailure || tries === MAX_TRIES || !(await this.answersPing())) throw error;
      }
    }
  }

  /** Whether the supernode answers within the time of silence. */
  private async answersPing(): Promise<boolean> {
    const { silence, log } = this.options;
    try {
      const { statusCode, body } = await request(this.url('/_ping'), {
        dispatcher: this.agent,
        signal: AbortSignal.any([this.stopping.signal, AbortSignal.timeout(silence)]),
      });
      await body.dump();
      return statusCode === 200;
    } catch (error) {
      log.debug({ supernode: this.name, err: error }, 'no answer to a ping');
      return false;
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

  /** Opens the session if it is not open, at once: the supernode has just answered; and keeps it open until {@link stop}. */
  private keepSession(ip: string): void {
    this.session ??= this.runSession(ip);
    this.reopening.abort();
  }

  private async runSession(ip: string): Promise<void> {
    const { identity, silence, log } = this.options;
    const { signal } = this.stopping;
    const url = this.url(SESSION_PATH);
    url.search = new URLSearchParams({ cid: identity.cid, ip, port: `${identity.port}` }).toString();
    // Half the time for the silence that raises the suspicion, the whole for the ping that confirms it.
    const options = { dispatcher: this.agent, schema: sessionEvent, silence: silence / 2, signal };
    for (let failures = 0; !isAborted(signal); failures += 1) {
      let reason = new LinkFailure('gone', `supernode ${this.name} ended the session`);
      try {
        for await (const event of openLines<SessionEvent>(url, options)) {
          if (failures > 0) log.info({ supernode: this.name }, 'the session is open again');
          failures = 0;
          if (event.type !== 'ping') this.listeners.get(event.blob)?.event(event);
        }
      } catch (error) {
        if (isAborted(signal)) return;
        reason = linkFailure(error, `supernode ${this.name}`);
      }
      // Also when it answers: it may have been started anew, and knows nothing of us then.
      this.tellLost(reason);
      const answers = await this.answersPing();
      if (isAborted(signal)) return;
      if (failures === 0) log.warn({ supernode: this.name, answers, why: reason.message }, 'the session broke');
      this.reopening = new AbortController();
      const wait = answers ? REOPEN_AFTER_PING : REOPEN_AFTER[Math.min(failures, REOPEN_AFTER.length - 1)];
      await pause(wait ?? 0, AbortSignal.any([signal, this.reopening.signal]));
    }
  }

  private tellLost(reason: Error): void {
    for (const listener of [...this.listeners.values()]) listener.lost(reason);
  }

  private url(path: string): URL {
    const { host, port } = this.options.address;
    return new URL(path, `http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
}

/** Read anew each time: it changes while we wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Resolves after `ms` or when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
