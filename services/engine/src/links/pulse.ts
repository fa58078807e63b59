import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

import { PULSE_MAGIC, PULSE_NONCE, pulsePort, pulseQuestion, readPulse } from '@cdk8s-dragonfly/protocol';

import { Patience, within } from './patience';

/** `beats`: the process runs, however late its answers are; `still`: it does not, or it hangs; `unknown`: its pulse does not get through. */
export type PulseState = 'beats' | 'still' | 'unknown';

/** How long an answer is waited for, in milliseconds, and how often it is asked meanwhile: datagrams get lost. */
const FEEL_FOR = 500;
const ASK_EVERY = 100;

/** An event loop that has stood still for so many milliseconds hangs: its own watchdog will end it. */
const HANGS = 4000;

interface Question {
  readonly text: Buffer;
  readonly answered: (late: number | undefined) => void;
}

interface Address {
  readonly address: string;
  readonly family: number;
}

/** The sockets over which pulses are felt, the same for all supernodes. */
export class PulseSockets {
  private readonly sockets = new Map<number, Socket>();
  private readonly questions = new Map<string, Question>();
  private isStopped = false;

  /** How many sockets are open. */
  get open(): number {
    return this.sockets.size;
  }

  /**
   * Sends a question, and tells when it is answered, until the returned function is called. Nothing is sent any more after {@link stop}, which
   * tells all who wait that nobody answers.
   */
  ask(at: Address & { readonly port: number }, answered: Question['answered']): () => void {
    if (this.isStopped) {
      answered(undefined);
      return () => undefined;
    }
    const nonce = randomBytes(PULSE_NONCE);
    const key = nonce.toString('latin1');
    const text = pulseQuestion(nonce);
    this.questions.set(key, { text, answered });
    // What cannot be sent is not answered.
    this.socket(at.family).send(text, at.port, at.address, () => undefined);
    return () => this.questions.delete(key);
  }

  stop(): void {
    this.isStopped = true;
    for (const socket of this.sockets.values()) socket.close();
    this.sockets.clear();
    for (const { answered } of this.questions.values()) answered(undefined);
    this.questions.clear();
  }

  private socket(family: number): Socket {
    const known = this.sockets.get(family);
    if (known !== undefined) return known;
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4').unref();
    socket.on('message', (message) => {
      const key = message.toString('latin1', PULSE_MAGIC.length, PULSE_MAGIC.length + PULSE_NONCE);
      const question = this.questions.get(key);
      const late = question === undefined ? undefined : readPulse(question.text, message);
      if (late !== undefined) question?.answered(late);
    });
    // A network that lets nothing through looks as one that loses it.
    socket.on('error', () => undefined);
    this.sockets.set(family, socket);
    return socket;
  }
}

/**
 * The pulse of a supernode: a thread of its process answers, which needs next to no CPU. So a supernode that is short of CPU, or has too much
 * to do, can be told from one that was stopped, whose connections are there all the same.
 */
export class Pulse {
  /** Whether it got through when it was looked for, as far as is known. */
  private felt = false;
  private isThrough = false;
  /** Whether it was not felt after its process had answered otherwise. */
  private isMissed = false;
  private address: Address | undefined;
  private finding: Promise<void> | undefined;
  private feeling: Promise<PulseState> | undefined;

  /**
   * @param api where its API is reached.
   * @param resolve finds its address. Default: as the system does.
   */
  constructor(
    private readonly sockets: PulseSockets,
    private readonly api: { readonly host: string; readonly port: number },
    private readonly resolve: (host: string) => Promise<Address> = lookup,
  ) {}

  /** Whether it gets through: then it is missed when it stops. */
  get wasFelt(): boolean {
    return this.felt;
  }

  /**
   * Its process has just answered otherwise. When the pulse is not felt then, and the process answers after that too, it does not get through any
   * more: that it is not felt tells nothing until it is felt again. One answer is not enough: the process may have been stopped just after it.
   * Never rejects.
   *
   * @returns whether another answer would tell.
   */
  async doubt(): Promise<boolean> {
    if (!this.felt) return false;
    if (this.isMissed) {
      this.isMissed = false;
      this.felt = false;
      return false;
    }
    await this.feel();
    this.isMissed = !this.isThrough;
    return this.isMissed;
  }

  /** Whether it beats now. Never rejects. */
  async feel(): Promise<PulseState> {
    this.feeling ??= this.feelOnce().finally(() => {
      this.feeling = undefined;
    });
    return this.feeling;
  }

  /** Its address may be another from now on. */
  forgetAddress(): void {
    this.address = undefined;
  }

  private async feelOnce(): Promise<PulseState> {
    const port = pulsePort(this.api.port);
    const address = await this.find();
    const late = port === undefined || address === undefined ? undefined : await this.ask({ ...address, port });
    this.isThrough = late !== undefined;
    if (late === undefined) return this.felt ? 'still' : 'unknown';
    this.felt = true;
    this.isMissed = false;
    return late < HANGS ? 'beats' : 'still';
  }

  /** By how much its event loop is late, in milliseconds; undefined: nothing was answered. */
  private async ask(at: Address & { readonly port: number }): Promise<number | undefined> {
    const asked: (() => void)[] = [];
    let asking: NodeJS.Timeout | undefined;
    let patience: Patience | undefined;
    try {
      return await new Promise<number | undefined>((resolve) => {
        const ask = (): void => void asked.push(this.sockets.ask(at, resolve));
        ask();
        asking = setInterval(ask, ASK_EVERY);
        patience = new Patience(FEEL_FOR, () => resolve(undefined));
      });
    } finally {
      clearInterval(asking);
      patience?.end();
      for (const forget of asked) forget();
    }
  }

  /** Undefined: it has no address now, or servers of names do not answer, for which the system may wait half a minute. */
  private async find(): Promise<Address | undefined> {
    if (this.address !== undefined) return this.address;
    this.finding ??= this.resolve(this.api.host)
      .then((address) => {
        this.address = address;
      })
      // As if it were silent: whoever connects tells why.
      .catch(() => undefined)
      .finally(() => {
        this.finding = undefined;
      });
    await within(FEEL_FOR, this.finding);
    return this.address;
  }
}
