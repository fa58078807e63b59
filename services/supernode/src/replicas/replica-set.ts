import { randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { Patience, Pulse, PulseSockets } from '@cdk8s-dragonfly/engine';
import { MAX_UNDER_WAY, REPLICA_PATH, publicKeyText, replicaAnswer } from '@cdk8s-dragonfly/protocol';
import type { BlobId, ReplicaAnswer, ReplicaIdentity } from '@cdk8s-dragonfly/protocol';

import { FORWARD_HEADER, ForwardMark } from './forward-mark';
import { ownerOf } from './rendezvous';

/** A supernode's API as it was configured. */
export interface ReplicaAddress {
  readonly host: string;
  readonly port: number;
}

/** Another replica that answers. */
export interface Replica extends ReplicaIdentity {
  /** `HOST:PORT` as it was configured: the same at every replica, and so what decides who owns what. */
  readonly name: string;
}

/** Who owns a blob. */
export type Owner = { readonly self: true } | { readonly self: false; readonly replica: Replica };

export interface ReplicaSetOptions {
  /** All replicas, this one too; empty: there is only this one. */
  readonly peers: readonly ReplicaAddress[];
  readonly key: KeyObject;
  /** Where this one is reached, once it is known. */
  readonly api: () => ReplicaAddress;
  /** At most so many blobs that are here or on their way, for the others to know. Default: they are told of none. */
  readonly underWay?: ((most: number) => readonly BlobId[]) | undefined;
  /** How often the others are asked whether they live, and how long they may take, in milliseconds. Default {@link TIMES}. */
  readonly times?: { readonly askEvery: number; readonly patience: number } | undefined;
  readonly log: { info(fields: object, text: string): void; warn(fields: object, text: string): void };
}

/** How often the others are asked whether they live, and how long they may take, in milliseconds. */
const TIMES = { askEvery: 500, patience: 1000 };

/**
 * Replicas start together: after a start the others are asked anew after so many milliseconds, and then after twice as many each time, up to
 * `askEvery`. As long as two do not know of each other, each fetches what both are asked for.
 */
const SOONEST = 50;

/** One that does not answer, and whose pulse beats, is taken for busy so many times in a row: it ends itself before. */
const BUSY_TIMES = 6;

/** Another replica, and the blobs that it has under way. */
interface Answering {
  readonly replica: Replica;
  readonly underWay: ReadonlySet<string>;
}

/** What a replica asks another. */
const QUESTION = { target: REPLICA_PATH };

/** The supernode's replicas: which of them answer, and who owns which blob. */
export class ReplicaSet {
  private readonly times: NonNullable<ReplicaSetOptions['times']>;
  /** Of this process: another at each start. */
  readonly id = randomBytes(16).toString('hex');
  private readonly publicKey: string;
  private readonly mark: ForwardMark;
  private readonly answering = new Map<string, Answering>();
  private readonly complained = new Set<string>();
  /** Those that answer, but not the last time, or the last times: how often. */
  private readonly late = new Map<string, number>();
  private readonly pulseSockets = new PulseSockets();
  private readonly pulses: ReadonlyMap<string, Pulse>;
  private ownName: string | undefined;
  private readonly stopping = new AbortController();
  private asking: Promise<void> = Promise.resolve();
  /** Resolves when the others were asked once: before, nobody knows what they have under way. */
  readonly asked: Promise<void>;
  private setAsked: () => void = () => undefined;

  constructor(private readonly options: ReplicaSetOptions) {
    this.publicKey = publicKeyText(options.key);
    this.mark = new ForwardMark(options.key);
    this.times = options.times ?? TIMES;
    this.asked = new Promise((resolve) => (this.setAsked = resolve));
    if (options.peers.length === 0) this.setAsked();
    this.pulses = new Map(options.peers.map((peer) => [nameOf(peer), new Pulse(this.pulseSockets, peer)]));
  }

  /**
   * What this one tells who asks. Only another replica hears what is under way: thousands of daemons ask, too, and have no use for it.
   *
   * @param mark of the one that asks, or what it gives for one.
   */
  answerTo(mark: string | readonly string[] | undefined): ReplicaAnswer {
    const { api, underWay } = this.options;
    const { host: ip, port } = api();
    const identity = { id: this.id, key: this.publicKey, ip, port };
    if (underWay === undefined || !this.mark.isOn(QUESTION, mark)) return identity;
    return { ...identity, underWay: [...underWay(MAX_UNDER_WAY)] };
  }

  /** Names of the others that answer. */
  get others(): readonly string[] {
    return [...this.answering.keys()];
  }

  /** Asks the others once, and then again and again until {@link stop}. */
  async start(): Promise<void> {
    if (this.options.peers.length === 0) return;
    await this.askAll();
    this.setAsked();
    this.asking = this.keepAsking();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the supernode is stopping'));
    await this.asking;
    this.pulseSockets.stop();
  }

  /**
   * Who owns a blob, among those that answer: one that has it under way before others, or an owner that comes back would fetch once more what
   * another fetches in its stead. A replica that does not know its own name yet owns what nobody else does. Who asks looks first whether it is
   * under way here.
   *
   * @param without those, as `HOST:PORT`, that do not answer who asks. Default: none.
   */
  owner(blob: string, without: readonly string[] = []): Owner {
    const others = [...this.answering.values()].filter(
      ({ replica: { name, ip, port } }) => !without.includes(name) && !without.includes(`${ip}:${port}`),
    );
    const having = others.filter(({ underWay }) => underWay.has(blob));
    const own = this.ownName === undefined || having.length > 0 ? [] : [{ name: this.ownName, self: true as const }];
    const candidates = (having.length > 0 ? having : others).map(({ replica }) => replica);
    const chosen = ownerOf<Replica | { name: string; self: true }>(blob, [...own, ...candidates]);
    return chosen === undefined || 'self' in chosen ? { self: true } : { self: false, replica: chosen };
  }

  /** A replica did not do what was asked of it: until it is heard of again, it owns nothing. */
  lost({ name, id }: Replica): void {
    if (this.answering.get(name)?.replica.id === id) this.answering.delete(name);
  }

  /**
   * A replica was silent when it was asked for something. One that hangs is {@link lost}; one that is busy, or whose pulse does not get through, owns
   * what it owned for as long as it answers the question who is there. Never rejects.
   *
   * @returns whether it is there as far as is known.
   */
  async isThere({ name, id }: Replica): Promise<boolean> {
    const isSame = (): boolean => this.answering.get(name)?.replica.id === id;
    if (isSame() && (await this.pulses.get(name)?.feel()) === 'still' && isSame()) this.answering.delete(name);
    return isSame();
  }

  private async keepAsking(): Promise<void> {
    const { signal } = this.stopping;
    const { askEvery } = this.times;
    for (let wait = Math.min(SOONEST, askEvery); ; wait = Math.min(2 * wait, askEvery)) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = setTimeout(done, wait);
        signal.addEventListener('abort', done);
        if (signal.aborted) done();
      });
      if (signal.aborted) return;
      await this.askAll();
    }
  }

  private async askAll(): Promise<void> {
    await Promise.all(this.options.peers.map((peer) => this.ask(peer)));
  }

  /** Never rejects: one that does not answer is one less. */
  private async ask({ host, port }: ReplicaAddress): Promise<void> {
    const name = nameOf({ host, port });
    const { log } = this.options;
    // Not AbortSignal.any: with each that is made of it, a signal that lives for long keeps a little more memory.
    const giveUp = new AbortController();
    const stop = (): void => giveUp.abort(this.stopping.signal.reason);
    const patience = new Patience(this.times.patience, () =>
      giveUp.abort(new Error(`no answer within ${this.times.patience} ms`)),
    );
    this.stopping.signal.addEventListener('abort', stop);
    try {
      const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}${REPLICA_PATH}`;
      const headers = { [FORWARD_HEADER]: this.mark.of(QUESTION) };
      const answer = await fetch(url, { headers, signal: giveUp.signal, redirect: 'error' });
      if (!answer.ok) {
        await answer.body?.cancel();
        throw new Error(
          answer.status === 404
            ? 'it speaks another version of the native protocol; until both are of one, each owns its blobs alone'
            : `it answered ${answer.status}`,
        );
      }
      const { underWay = [], ...identity } = replicaAnswer.parse(await answer.json());
      if (identity.id === this.id) {
        this.ownName = name;
        return;
      }
      if (identity.key !== this.publicKey)
        throw new Error('it signs with another key; give all replicas the same --signing-key');
      if (!this.answering.has(name)) {
        log.info({ replica: name }, 'a replica answers');
        // So that it is missed when it stops.
        void this.pulses.get(name)?.feel();
      } else void this.pulses.get(name)?.doubt();
      this.answering.set(name, { replica: { ...identity, name }, underWay: new Set(underWay) });
      this.complained.delete(name);
      this.late.delete(name);
    } catch (error) {
      if (giveUp.signal.aborted && !this.stopping.signal.aborted && this.answering.has(name)) {
        if (await this.isBusy(name)) return;
      }
      this.late.delete(name);
      const wasThere = this.answering.delete(name);
      if (this.stopping.signal.aborted || (!wasThere && this.complained.has(name))) return;
      this.complained.add(name);
      log.warn({ replica: name, err: error }, 'a replica does not answer');
    } finally {
      patience.end();
      this.stopping.signal.removeEventListener('abort', stop);
    }
  }

  /** Whether one that did not answer in time may do so later: two owners of a blob would cost a second copy from its origin. */
  private async isBusy(name: string): Promise<boolean> {
    const times = (this.late.get(name) ?? 0) + 1;
    this.late.set(name, times);
    const state = await this.pulses.get(name)?.feel();
    if (state === 'beats') return times <= BUSY_TIMES;
    return state !== 'still' && times === 1;
  }
}

function nameOf({ host, port }: ReplicaAddress): string {
  return `${host}:${port}`;
}
