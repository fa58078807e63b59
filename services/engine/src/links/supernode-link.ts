import { setMaxListeners } from 'node:events';

import { SESSION_PATH } from '@cdk8s-dragonfly/protocol';
import type { BlobId, PeerReport } from '@cdk8s-dragonfly/protocol';

import { OriginalSupernode } from '../classic/original-supernode';
import type { OriginalPlace } from '../classic/original-supernode';
import { Announcements } from './announcements';
import { LinkFailure, linkFailure } from './failure';
import type { LinkLog } from './link-log';
import { Liveness } from './liveness';
import { NO_ANSWER, PatientRegistration } from './patient-registration';
import { Pulse } from './pulse';
import type { PulseSockets } from './pulse';
import { registrationText } from './registration';
import type { PeerIdentity, RegistrationAnswer, SupernodeAddress, Wanted } from './registration';
import type { SteadyClock } from './steady-clock';
import { LATEST_ANSWER, SupernodeRequests } from './supernode-requests';
import { SupernodeSession } from './supernode-session';
import type { SessionListener } from './supernode-session';
import { Touch } from './touch';

export interface SupernodeLinkOptions {
  readonly address: SupernodeAddress;
  readonly identity: PeerIdentity;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** How long it may be silent, in milliseconds, before it counts as lost. */
  readonly silence: number;
  /** How long one may be silent that shows that it runs, in milliseconds. */
  readonly busy: number;
  /** See {@link PatientRegistrationOptions}. */
  readonly lookEvery?: number | undefined;
  readonly clock: SteadyClock;
  readonly pulses: PulseSockets;
  /** The blobs that are here whole, the one used last at the end. */
  readonly holdings: () => readonly BlobId[];
  /** Whether it was configured; else another supernode named it, and it is forgotten when it is gone. Default true. */
  readonly isConfigured?: boolean | undefined;
  /** Counts the sessions of this daemon: a supernode may hear of them in another order than they were opened in. */
  readonly nextSession: () => number;
  /** The session is open. */
  readonly opened?: (() => void) | undefined;
  /** The link whose session is open to a process of the supernode. Default: there is none. */
  readonly openTo?: ((process: string) => SupernodeLink | undefined) | undefined;
  readonly log: LinkLog;
}

/** What a registration brought. */
export type Registered =
  | Exclude<RegistrationAnswer, { kind: 'original' | 'later' }>
  | { readonly kind: 'original'; readonly place: OriginalPlace };

/** One supernode, as a daemon sees it: registration, and the session over which it tells what to do. */
export class SupernodeLink {
  private readonly requests: SupernodeRequests;
  private readonly touch: Touch;
  private readonly session: SupernodeSession;
  private readonly liveness: Liveness;
  private readonly announcements: Announcements;
  private readonly stopping = new AbortController();
  private readonly original: OriginalSupernode;
  private readonly registration: PatientRegistration;
  /** Whether it answered as an original one the last time. */
  private isOriginal = false;
  /** Counts the downloads at an original one. */
  private downloads = 0;
  /** The link that has taken over what this one did, as long as it leads to that process. */
  private heir: { readonly link: SupernodeLink; readonly process: string } | undefined;

  constructor(private readonly options: SupernodeLinkOptions) {
    const { address, busy, clock, connectTimeout, identity, log, pulses, silence } = options;
    const { signal } = this.stopping;
    const requests = new SupernodeRequests({ address, identity, connectTimeout, signal, log });
    this.requests = requests;
    // While one hangs, pings wait for it for half a minute each: more of them than Node.js takes for a leak, which it says on standard error.
    setMaxListeners(0, signal);
    const { agent: dispatcher, name, proof: headers } = requests;
    const url = (path: string): URL => requests.url(path);
    this.liveness = new Liveness({
      name,
      ping: url('/_ping'),
      dispatcher,
      pulse: new Pulse(pulses, address),
      silence,
      busy,
      clock,
      signal,
      log,
    });
    this.session = new SupernodeSession({
      name,
      isKept: this.isConfigured,
      url: (ip) => {
        const at = url(SESSION_PATH);
        const query = { cid: identity.cid, ip, port: `${identity.port}`, number: `${options.nextSession()}` };
        at.search = new URLSearchParams(query).toString();
        return at;
      },
      timeouts: { connect: connectTimeout, answer: LATEST_ANSWER },
      headers,
      patience: () => this.liveness.patience,
      lives: () => this.liveness.look(true),
      opened: (known) => {
        this.announcements.opened(known);
        options.opened?.();
      },
      log,
    });
    this.announcements = new Announcements({
      post: (blobs, anew) => requests.tellHoldings({ blobs: [...blobs], anew }),
      all: options.holdings,
      random: Math.random,
      log,
    });
    const { liveness, session } = this;
    this.registration = new PatientRegistration({
      name,
      url: url('/peer/registry'),
      headers,
      dispatcher,
      liveness,
      session,
      lookEvery: options.lookEvery,
      signal,
    });
    this.original = new OriginalSupernode({ name, url, dispatcher, log });
    this.touch = new Touch({
      requests,
      isThere: () => session.isKeptOpen,
      answers: async (process) => this.openAt(process),
      signal,
      log,
    });
  }

  get name(): string {
    return this.requests.name;
  }

  get isConfigured(): boolean {
    return this.options.isConfigured ?? true;
  }

  /** Which process of the supernode it led to last; undefined: that was not said. */
  get process(): string | undefined {
    return this.session.process ?? this.liveness.process;
  }

  /** Which one its session was open to last, when it is open or opened anew; else undefined. */
  get keepsOpenTo(): string | undefined {
    return this.session.isKeptOpen ? this.session.process : undefined;
  }

  /** Whether its session is open, or opened anew. */
  get isInTouch(): boolean {
    return this.session.isKeptOpen;
  }

  /** The link to use: this one, or one that leads to the same process under another name and has its session. */
  get used(): SupernodeLink {
    const { heir } = this;
    return heir?.link.process === heir?.process ? (heir?.link.used ?? this) : this;
  }

  /** Both have a session to one process of the supernode, which has one for a daemon: it is the other's from now on. */
  yieldTo(link: SupernodeLink, process: string): void {
    this.heir = { link, process };
    this.announcements.opened(undefined);
    this.session.handTo(link.session);
  }

  /** Whether the link that took over leads to another process now, and this one has nobody's session. */
  get isLeftAlone(): boolean {
    return this.heir !== undefined && this.used === this;
  }

  /** It leads to a process of its own from now on. */
  standAlone(): void {
    this.heir = undefined;
  }

  /** Since when nothing has come from it, of the steady clock; undefined: it answers, or nobody listens there. */
  get silentSince(): number | undefined {
    return this.liveness.silentSince;
  }

  /**
   * Joins a blob's swarm; `listener` hears of it until {@link leave}, unless the supernode is an original one.
   *
   * @throws LinkFailure when the supernode does not answer in time, or refuses.
   */
  async join(wanted: Wanted, listener: SessionListener): Promise<Registered> {
    const { blob } = wanted;
    this.stopping.signal.throwIfAborted();
    if (this.liveness.hangs) throw new LinkFailure('hung', `supernode ${this.name} ${NO_ANSWER.hung}`);
    // Before the answer: what the supernode says first may overtake it.
    this.session.listen(blob, listener);
    this.liveness.meet();
    try {
      const ip = await this.requests.ownIp();
      const registered = await this.registerFittingly(wanted, ip, listener);
      if (registered.kind === 'joined') {
        // Another may have taken over meanwhile, and have our listener.
        const { session } = this.used;
        session.isRegistered(blob);
        session.keepOpen(ip);
      } else this.leave(blob, listener);
      return registered;
    } catch (error) {
      this.leave(blob, listener);
      throw linkFailure(error, `supernode ${this.name}`);
    }
  }

  /** Ends a listener. The supernode keeps this daemon as a holder of the blob. @param but the link at which it goes on. Default: at none. */
  leave(blob: BlobId, listener: SessionListener, but?: SupernodeLink): void {
    if (this === but) return;
    this.session.unlisten(blob, listener);
    this.heir?.link.leave(blob, listener, but);
  }

  /** A blob is here whole: the supernode hears of it. Opens the session, when that is not open, as soon as the supernode answers. */
  holds(blob: BlobId): void {
    this.announcements.added(blob);
    this.keepInTouch();
  }

  /** Opens the session as soon as the supernode answers, and if it is one that takes sessions, so that it hears what is here. */
  keepInTouch(): void {
    this.touch.seek();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the daemon is stopping'));
    await this.touch.ended();
    await this.announcements.stop();
    await this.session.stop();
    await this.requests.stop();
  }

  /** Tells that neighbours failed, so that the supernode names others. Never rejects. */
  async report(report: PeerReport): Promise<void> {
    await this.requests.report(report);
  }

  /** Opens the session, unless another link has one to the same process. */
  private async openAt(process: string | undefined): Promise<void> {
    const link = process === undefined ? undefined : this.options.openTo?.(process);
    if (process === undefined || link === undefined || link === this)
      this.session.keepOpen(await this.requests.ownIp());
    else this.heir = { link, process };
  }

  /**
   * An original supernode keeps what a client has under its name, so each download has one of its own there; ours knows a daemon by the
   * one name of its session. The answer shows which of the two it is: one may have taken the other's place.
   */
  private async registerFittingly(wanted: Wanted, ip: string, listener: SessionListener): Promise<Registered> {
    const { identity, address } = this.options;
    for (let tries = 0; tries < 2; tries += 1) {
      const { isOriginal } = this;
      const cid = isOriginal ? `${identity.cid}-${(this.downloads += 1)}` : identity.cid;
      const who = { identity: { ...identity, cid }, ip, host: address.host, isOriginal };
      const answer = await this.registration.register(registrationText(wanted, who), listener);
      if ((answer.kind === 'original') !== isOriginal) this.isOriginal = !isOriginal;
      else if (answer.kind !== 'original') return answer;
      else return { kind: 'original', place: { supernode: this.original, cid, registration: answer.registration } };
    }
    throw new LinkFailure('lying', `supernode ${this.name} answers now as an original one and now as ours`);
  }
}
