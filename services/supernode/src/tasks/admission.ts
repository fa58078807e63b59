import { hash } from 'node:crypto';

import { MAX_LATER } from '@cdk8s-dragonfly/protocol';

/** What a registration costs until it is known, and at most, in ms: a pause of the process in its middle is no cost. */
const FIRST_COST = 1;
const MOST_COST = 5;

/**
 * The work around what is measured of one, so many times as much with it: HTTP before, and what is written to sessions after. It is learned while
 * registrations themselves take this part of the time: then all that the event loop does is as good as done for them, or goes on beside them.
 */
const AROUND = { least: 2, most: 6 };
const LEARNS_AROUND_FROM = 0.15;

/** How often that is looked at, in ms. */
const LOOK_EVERY = 500;

/** How much of what one costs is learned from the last. */
const LEARNS = 0.05;

/** Registrations that come at once are taken in as they come, as long as the last of them need not wait for longer than this, in ms. */
const WAITS = 1000;

/**
 * A daemon that does not say that it waits for its turn, of a build before, comes a few times within seconds and then goes to the origin: its turn
 * is at the latest so many ms after it came first.
 */
const IMPATIENT = 5000;

/** For so many ms a turn stays good: its daemon may come late, or once more. */
const LAPSES = 60_000;

/** So many turns are remembered; who is given one more comes with others. */
const MOST_TURNS = 200_000;

/** An event loop that works for less than this part of the time has taken in all who came: those whose turns are still to come may never come. */
const IDLE = 0.5;

/** Whose registration it is, and how it came. */
export interface Applicant {
  /** Who wants what: in one turn nobody takes two. */
  readonly name: string;
  /** Whether it comes again when it is told to, however late that is. */
  readonly waits: boolean;
  /** For how many ms it has waited here already: so long is the way to us at present. */
  readonly queued: number;
}

/**
 * When a registration is taken in: now, or later. A herd of thousands that begins in one second would wait for many; each would ask meanwhile
 * whether the supernode lives, which costs as much again. So each is told when it is its turn, one after the other as fast as they can be taken
 * in, and has that turn when it comes again, whatever it says of itself and however often it comes before. Pure, but for what it remembers.
 */
export class Admission {
  private freeAt = 0;
  private cost = FIRST_COST;
  private around = AROUND.least;
  /** Since the last look: how long registrations were worked on, and as of when the event loop has worked for how long, in ms. */
  private readonly looked = { at: 0, own: 0, active: 0 };
  /** When it is whose turn, in the order in which they were given. Of names only a hash is kept: there are many, and they are long. */
  private readonly turns = new Map<number, number>();

  /**
   * @param random from 0 to 1.
   * @param active for how many ms the event loop has worked, from any time on. While it has time left, nobody waits behind those who have not come yet.
   */
  constructor(
    private readonly random: () => number = Math.random,
    private readonly active: () => number = () => performance.eventLoopUtilization().active,
  ) {}

  /**
   * In how many ms a registration is to come again; 0: it is taken in now.
   *
   * @param now in ms, of a clock that does not jump.
   */
  wait(applicant: Applicant, now: number): number {
    this.forgetLapsed(now);
    if (now - this.looked.at >= LOOK_EVERY) this.look(now);
    const key = hash('sha1', applicant.name, 'buffer').readUIntBE(0, 6);
    const given = this.turns.get(key);
    const wait = given === undefined ? this.newTurn(applicant, now) : given - now;
    // Also of who is taken in now: whoever loses its place at once has not to go behind all who came after it.
    if (given === undefined && wait > 0 && this.turns.size < MOST_TURNS) this.turns.set(key, now + wait);
    return wait <= WAITS ? 0 : Math.ceil(wait);
  }

  /** One was taken in. @param ms for how long it was worked on. @param now as in {@link wait}. */
  took(ms: number, now: number): void {
    this.cost += LEARNS * (Math.min(this.around * ms, MOST_COST) - this.cost);
    this.looked.own += ms;
    if (now - this.looked.at >= LOOK_EVERY) this.look(now);
  }

  private look(now: number): void {
    const { at, own, active: before } = this.looked;
    const active = this.active();
    const { least, most } = AROUND;
    if (active - before < IDLE * (now - at)) this.freeAt = Math.min(this.freeAt, now);
    if (own >= LEARNS_AROUND_FROM * (now - at)) this.around = Math.min(Math.max((active - before) / own, least), most);
    Object.assign(this.looked, { at: now, own: 0, active });
  }

  private newTurn({ queued, waits }: Applicant, now: number): number {
    const begin = Math.max(now, this.freeAt);
    // What one has waited here says nothing of the others: its body may have come slowly.
    this.freeAt = Math.min(begin + this.cost, now + MAX_LATER);
    // More than all turns there are: they come with others, but not all at once.
    const isFull = begin + this.cost > now + MAX_LATER;
    const wait = isFull ? MAX_LATER * (1 - this.random() / 2) : Math.min(Math.max(begin - now, queued), MAX_LATER);
    return waits ? wait : Math.min(wait, IMPATIENT);
  }

  private forgetLapsed(now: number): void {
    for (const [key, at] of this.turns) {
      if (now - at <= LAPSES) return;
      this.turns.delete(key);
    }
  }
}
