/** So many requests are begun in a turn of the event loop. */
const REQUESTS_A_TURN = 64;

/**
 * While a herd connects, one is begun in so many turns: Node.js takes one connection a turn, and who waits to be taken, a probe of the kubelet's
 * too, waits for all turns before.
 */
const TURNS_A_REQUEST = 4;

/** A connection in each of so many turns, one after the other, is a herd: more wait to be taken. Some come all the time, and are none. */
const HERD = 8;

/** How often it is looked whether the event loop turns, in ms; one that was not there for so long has stood still. */
const BEAT_EVERY = 100;
const STANDSTILL = 300;

/** So many turns after what a client asked it is known whether it is still there: that it is gone comes after it. */
const TURNS_TO_THE_END = 2;

/** The connection of a request; not writable once its client has closed it. */
export interface Asker {
  readonly writable: boolean;
}

interface Waiting {
  readonly begin: () => void;
  readonly asker: Asker;
  /** The turn in which it may begin. */
  readonly from: number;
}

/**
 * Lets timers run however many clients ask at once. With more than 1,024 sockets that have something to read, the event loop of Node.js reads
 * up to 48 times as many before it looks at its timers: pings to daemons would come seconds late. What comes beyond
 * {@link REQUESTS_A_TURN} waits for the next turn, in its order; its client waits with it, and sends nothing more meanwhile.
 *
 * What nobody waits for any more is not begun: clients give up those that do not answer, and whoever then works through what was asked long ago
 * has no time for those that still ask, and fetches for nobody. What may have waited unread, on a new connection or while the event loop stood
 * still, is begun when it is known whether its client is still there.
 */
export class RequestTurns {
  private waiting: Waiting[] = [];
  private begun = 0;
  private now = 0;
  private turning = false;
  /** Whether a connection was taken in this turn, and in how many turns before it, without one between. */
  private hasConnected = false;
  private connecting = 0;
  private recovering = 0;
  private beatAt = performance.now();
  private readonly beating = setInterval(() => this.beat(), BEAT_EVERY).unref();
  /** Connections on which nothing was asked yet. */
  private readonly fresh = new WeakSet<Asker>();

  /** @param abandoned is told of each request that is not begun. */
  constructor(private readonly abandoned: () => void) {}

  /** Calls `begin` now, or in a turn to come; never, when the asker is gone before. */
  take(begin: () => void, asker: Asker): void {
    this.lookForStandstill();
    this.turn();
    const hasWaited = this.fresh.delete(asker) || this.recovering > 0;
    if (hasWaited || this.begun >= this.most || this.waiting.length > 0) {
      this.waiting.push({ begin, asker, from: this.now + (hasWaited ? TURNS_TO_THE_END : 0) });
      return;
    }
    this.begun += 1;
    begin();
  }

  /** A connection was taken. */
  connected(asker: Asker): void {
    this.fresh.add(asker);
    this.hasConnected = true;
    this.turn();
  }

  stop(): void {
    clearInterval(this.beating);
  }

  private get most(): number {
    if (this.connecting < HERD) return REQUESTS_A_TURN;
    return this.now % TURNS_A_REQUEST === 0 ? 1 : 0;
  }

  private beat(): void {
    this.lookForStandstill();
    this.beatAt = performance.now();
  }

  private lookForStandstill(): void {
    if (performance.now() - this.beatAt <= STANDSTILL) return;
    this.recovering = TURNS_TO_THE_END;
    this.turn();
  }

  private turn(): void {
    if (this.turning) return;
    this.turning = true;
    setImmediate(this.next);
  }

  private readonly next = (): void => {
    this.now += 1;
    this.turning = false;
    this.connecting = this.hasConnected ? this.connecting + 1 : 0;
    this.hasConnected = false;
    if (this.recovering > 0) this.recovering -= 1;
    let looked = 0;
    const now: (() => void)[] = [];
    for (const { begin, asker, from } of this.waiting) {
      if (now.length >= this.most || from > this.now) break;
      looked += 1;
      if (asker.writable) now.push(begin);
      else this.abandoned();
    }
    this.waiting.splice(0, looked);
    this.begun = now.length;
    if (this.begun > 0 || this.waiting.length > 0 || this.recovering > 0 || this.connecting > 0) this.turn();
    for (const begin of now) begin();
  };
}
