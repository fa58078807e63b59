import type { KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import {
  HOLDINGS_PATH,
  NATIVE_VERSION,
  REPLICA_PATH,
  REPORTS_PATH,
  RESULT_CODE,
  SESSION_KEY_HEADER,
  SESSION_PATH,
  formatRegistryRequest,
  nativeRegistration,
  parseRegistryAnswer,
  peerFilePath,
  readPublicKey,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, HeaderLine, Holdings, PeerReport, TaskIdentity } from '@cdk8s-dragonfly/protocol';
import { Agent, request } from 'undici';

import { OriginalSupernode } from '../classic/original-supernode';
import type { OriginalPlace } from '../classic/original-supernode';
import { Announcements } from './announcements';
import { LinkFailure, isSilence, linkFailure } from './failure';
import type { LinkLog } from './link-log';
import { localAddressTowards } from './local-address';
import { Patience } from './patience';
import type { SteadyClock } from './steady-clock';
import { SupernodeSession } from './supernode-session';
import type { SessionListener } from './supernode-session';
import { Tempo } from './tempo';

/** A supernode to use. */
export interface SupernodeAddress {
  readonly host: string;
  readonly port: number;
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
  readonly clock: SteadyClock;
  /** The blobs that are here whole, the one used last at the end. */
  readonly holdings: () => readonly BlobId[];
  readonly log: LinkLog;
}

/** What a registration brought. */
export type Registered =
  | ({ readonly kind: 'joined' } & Joined)
  /** Another replica owns the blob. */
  | { readonly kind: 'elsewhere'; readonly owner: SupernodeAddress }
  /** The supernode is an original one, which knows nothing of the native protocol. */
  | { readonly kind: 'original'; readonly place: OriginalPlace };

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
  /** What a blob without a digest is named after. Default: the URL. */
  readonly task?: TaskIdentity | undefined;
  /** Another replica sent us: this one takes us in. Default false. */
  readonly redirected?: boolean;
  /** Replicas, as `HOST:PORT`, that do not answer: they own nothing. Default: none. */
  readonly without?: readonly string[];
  /** We were in its swarm before, and may have blocks of it. Default false. */
  readonly resumes?: boolean;
}

/** A supernode that is checking the credentials of others is asked again after so many milliseconds, and so often (Dragonfly 0.x protocol, 4.2). */
const WAIT_AUTH = 2500;
const MAX_WAITS = 3;

/** The peer ports that original Go supernodes take (Dragonfly 0.x protocol, 2.1). */
const LOWEST_ORIGINAL_PORT = 15_000;
const HIGHEST_ORIGINAL_PORT = 65_000;

/** After so many milliseconds an answer tells nothing any more. */
const LATEST_ANSWER = 30_000;

/** How many times of silence a registration may take at a supernode that answers pings. */
const MAX_PINGS = 5;

/** The waits between tries to get in touch, in milliseconds: each twice as long as the one before, up to the second. */
const TOUCH_EVERY = 1000;
const TOUCH_AT_LEAST_EVERY = 30_000;

/** One supernode, as a daemon sees it: registration, and the session over which it tells what to do. */
export class SupernodeLink {
  private readonly agent: Agent;
  private readonly session: SupernodeSession;
  private readonly tempo: Tempo;
  private readonly announcements: Announcements;
  private readonly stopping = new AbortController();
  private readonly original: OriginalSupernode;
  /** Whether it answered as an original one the last time. */
  private isOriginal = false;
  /** Counts the downloads at an original one. */
  private downloads = 0;
  private watching: Promise<void> | undefined;
  private localIp: string | undefined;

  constructor(private readonly options: SupernodeLinkOptions) {
    const { connectTimeout, identity, log, silence } = options;
    this.tempo = new Tempo(silence, () => options.clock.now);
    this.agent = new Agent({
      connect: { timeout: connectTimeout },
      // Pings bound the wait; this is for those that nobody waits for any more.
      headersTimeout: LATEST_ANSWER,
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
      headers: this.proof,
      patience: () => this.tempo.patience,
      answersPing: () => this.answersPing(),
      opened: (known) => this.announcements.opened(known),
      log,
    });
    this.announcements = new Announcements({
      post: (blobs, anew) => this.tellHoldings({ blobs: [...blobs], anew }),
      all: options.holdings,
      random: Math.random,
      log,
    });
    this.original = new OriginalSupernode({
      name: this.name,
      url: (pathAndQuery) => this.url(pathAndQuery),
      dispatcher: this.agent,
      log,
    });
  }

  /** Shows that we are who we say. */
  private get proof(): Record<string, string> {
    return { [SESSION_KEY_HEADER]: this.options.identity.key };
  }

  get name(): string {
    const { host, port } = this.options.address;
    return `${host}:${port}`;
  }

  /** Since when nothing has come from it, of the steady clock; undefined: it answers, or nobody listens there. */
  get silentSince(): number | undefined {
    return this.tempo.silentSince;
  }

  /**
   * Joins a blob's swarm; `listener` hears of it until {@link leave}, unless the supernode is an original one.
   *
   * @throws LinkFailure when the supernode does not answer in time, or refuses.
   */
  async join(wanted: Wanted, listener: SessionListener): Promise<Registered> {
    const { blob } = wanted;
    this.stopping.signal.throwIfAborted();
    // Before the answer: what the supernode says first may overtake it.
    this.session.listen(blob, listener);
    try {
      const ip = await this.ownIp();
      const registered = await this.registerFittingly(wanted, ip);
      if (registered.kind === 'joined') {
        this.session.isRegistered(blob);
        this.session.keepOpen(ip);
      } else this.leave(blob, listener);
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

  /** A blob is here whole: the supernode hears of it. Opens the session, when that is not open, as soon as the supernode answers. */
  holds(blob: BlobId): void {
    this.announcements.added(blob);
    this.keepInTouch();
  }

  /** Opens the session as soon as the supernode answers, and if it is one that takes sessions, so that it hears what is here. */
  keepInTouch(): void {
    this.watching ??= this.openWhenNative();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the daemon is stopping'));
    await this.watching;
    await this.announcements.stop();
    await this.session.stop();
    await this.agent.destroy();
  }

  /** Never rejects. */
  private async openWhenNative(): Promise<void> {
    const { signal } = this.stopping;
    for (let tries = 0; !signal.aborted; tries += 1) {
      if (this.session.isKeptOpen) return;
      try {
        const { statusCode, body } = await request(this.url(REPLICA_PATH), { dispatcher: this.agent, signal });
        await body.dump();
        // An original supernode, or one of ours that is older.
        if (statusCode === 404) return;
        if (statusCode === 200) {
          this.session.keepOpen(await this.ownIp());
          return;
        }
      } catch (error) {
        this.options.log.debug({ supernode: this.name, err: error }, 'not in touch yet');
      }
      // Ends early when the daemon stops.
      await delay(Math.min(TOUCH_EVERY * 2 ** tries, TOUCH_AT_LEAST_EVERY), undefined, { signal, ref: false }).catch(
        () => undefined,
      );
    }
  }

  /** Tells that neighbours failed, so that the supernode names others. Never rejects: a supernode that does not hear of it is told by others. */
  async report(report: PeerReport): Promise<void> {
    try {
      await this.post(REPORTS_PATH, report, {});
    } catch (error) {
      this.options.log.debug({ supernode: this.name, err: error }, 'failed neighbours were not reported');
    }
  }

  private async tellHoldings(told: Holdings): Promise<void> {
    const { zone } = this.options.identity;
    await this.post(HOLDINGS_PATH, told, zone === undefined ? {} : { zone });
  }

  /** @throws Error when it does not take it. */
  private async post(path: string, document: object, more: Readonly<Record<string, string>>): Promise<void> {
    const { cid, port } = this.options.identity;
    const url = this.url(path);
    url.search = new URLSearchParams({ cid, ip: await this.ownIp(), port: `${port}`, ...more }).toString();
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.proof },
      body: JSON.stringify(document),
      dispatcher: this.agent,
      signal: this.stopping.signal,
    });
    await body.dump();
    if (statusCode !== 204) throw new Error(`supernode ${this.name} answered ${statusCode} to ${path}`);
  }

  /**
   * An original supernode keeps what a client has under its name, so each download has one of its own there; ours knows a daemon by the
   * one name of its session. The answer shows which of the two it is: one may have taken the other's place.
   */
  private async registerFittingly(wanted: Wanted, ip: string): Promise<Registered> {
    const { cid } = this.options.identity;
    for (let tries = 0; tries < 2; tries += 1) {
      const name = this.isOriginal ? `${cid}-${(this.downloads += 1)}` : cid;
      const registered = await this.registerPatiently(this.registration(wanted, ip, name), name);
      if ((registered.kind === 'original') === this.isOriginal) return registered;
      this.isOriginal = !this.isOriginal;
    }
    throw new LinkFailure('lying', `supernode ${this.name} answers now as an original one and now as ours`);
  }

  private registration(wanted: Wanted, ip: string, cid: string): string {
    const { blob, url, headers, task = { taskUrl: url.href } } = wanted;
    const { redirected = false, without = [], resumes = false } = wanted;
    const { identity, address } = this.options;
    const { port } = identity;
    const fits = !this.isOriginal || (port >= LOWEST_ORIGINAL_PORT && port <= HIGHEST_ORIGINAL_PORT);
    return formatRegistryRequest({
      rawUrl: url.href,
      ...task,
      cid,
      ip,
      // Without a port it is no holder, and is served all the same.
      port: fits ? port : 0,
      path: peerFilePath(blob),
      hostName: hostname(),
      ...(isIPv4(address.host) ? { superNodeIp: address.host } : {}),
      headers,
      dfdaemon: true,
      native: {
        versions: [NATIVE_VERSION],
        blob,
        zone: identity.zone,
        ...(redirected ? { redirected } : {}),
        ...(without.length > 0 ? { without } : {}),
        ...(resumes ? { resumes } : {}),
      },
    });
  }

  private async registerPatiently(body: string, cid: string): Promise<Registered> {
    for (let waits = 0; waits <= MAX_WAITS; waits += 1) {
      const registered = await this.register(body, cid);
      if (registered !== undefined) return registered;
      if (waits < MAX_WAITS) await delay(WAIT_AUTH, undefined, { signal: this.stopping.signal });
    }
    throw new LinkFailure('gone', `supernode ${this.name} is still checking the credentials of others`);
  }

  /** Registers, and pings meanwhile: a supernode that answers late but answers pings is busy, not lost. */
  private async register(body: string, cid: string): Promise<Registered | undefined> {
    const done = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, done.signal]);
    const asked = request(this.url('/peer/registry'), {
      method: 'POST',
      headers: { 'content-type': 'application/json;charset=utf-8', ...this.proof },
      body,
      dispatcher: this.agent,
      signal,
    }).then(async ({ statusCode, body: answer }) => this.read(statusCode, await answer.text(), cid));
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
    for (let pings = 0; pings < MAX_PINGS && !signal.aborted; pings += 1) {
      const next = delay(this.tempo.patience, undefined, { ref: false });
      // Original ones before 0.3.0 do not know the ping; that they say so shows that they live.
      if ((await this.pingStatus()) === undefined) break;
      await next;
    }
    const kind = this.silentSince === undefined ? 'gone' : 'silent';
    throw new LinkFailure(kind, `supernode ${this.name} does not answer`);
  }

  /** Whether the supernode answers a ping as it should within the time of silence. */
  private async answersPing(): Promise<boolean> {
    return (await this.pingStatus()) === 200;
  }

  /** What it answers to a ping; undefined when nothing comes within the time that it may be silent. */
  private async pingStatus(): Promise<number | undefined> {
    const { patience: ms } = this.tempo;
    let patience: Patience | undefined;
    const silent = new Promise<undefined>((resolve) => {
      patience = new Patience(ms, () => {
        this.tempo.wasSilent(ms);
        this.options.log.debug({ supernode: this.name, ms }, 'no answer to a ping');
        resolve(undefined);
      });
    });
    try {
      return await Promise.race([this.ping(), silent]);
    } finally {
      patience?.end();
    }
  }

  /** Never rejects. An answer that comes when nobody waits for it any more still tells how slow it is. */
  private async ping(): Promise<number | undefined> {
    const began = performance.now();
    try {
      const { statusCode, body } = await request(this.url('/_ping'), {
        dispatcher: this.agent,
        signal: this.stopping.signal,
      });
      await body.dump();
      this.tempo.answered(performance.now() - began);
      return statusCode;
    } catch (error) {
      // What is refused or broken off comes from whoever is there now; what times out is silence.
      if (!isSilence(error)) this.tempo.isGone();
      this.options.log.debug({ supernode: this.name, err: error }, 'a ping failed');
      return undefined;
    }
  }

  /** Undefined: it is to be asked again later. */
  private read(status: number, body: string, cid: string): Registered | undefined {
    const answer = parseRegistryAnswer(status, body);
    if (answer.kind === 'unusable') throw new LinkFailure('lying', `supernode ${this.name}: ${answer.fault}`);
    if (answer.kind === 'refused') {
      if (answer.code === RESULT_CODE.waitAuth) return undefined;
      throw new LinkFailure('gone', `supernode ${this.name} refused with code ${answer.code}: ${answer.msg}`);
    }
    if (answer.native === undefined) {
      return { kind: 'original', place: { supernode: this.original, cid, registration: answer.registration } };
    }
    const native = nativeRegistration.safeParse(answer.native);
    if (!native.success) {
      const wanted = `version ${NATIVE_VERSION} of the native protocol`;
      throw new LinkFailure('lying', `supernode ${this.name} does not answer as ${wanted} has it`);
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
