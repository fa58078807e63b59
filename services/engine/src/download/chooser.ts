import { randomInt } from 'node:crypto';

import type { Share } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { HORIZON, mayPick, pick } from '../picker/picker';
import type { Room } from '../picker/picker';
import type { Intake } from './intake';
import type { Asker, Questions } from './questions';
import type { Sources } from './sources';
import type { DownloadTools } from './tools';

/**
 * The swarm may bring nothing for so many times as long as blocks usually take, and at least {@link PATIENCE} milliseconds, before blocks
 * outside the share are asked of the supernode.
 */
const PATIENCE_FACTOR = 6;
const PATIENCE = 2000;

/**
 * As `Overdue` has steps: so many times as long as blocks take, and at least {@link STEP} milliseconds. A supernode that has much to do takes long:
 * what would be asked of it besides would keep others waiting.
 */
const STEP_FACTOR = 3;
const STEP = 100;

/** It is looked at least so often, in milliseconds, whatever is said to have changed. */
const LOOK_AT_LEAST = 1000;

/** A download that chooses. */
export interface Choosing extends Asker {
  /** What to take from the supernode first; undefined while it has not said. */
  readonly share: Share | undefined;
  /** Whether the supernode is fetching the blob. */
  readonly isFetched: boolean;
  /** Whether nothing more is wanted. */
  readonly isOver: boolean;
}

/**
 * When sources are asked for blocks, and for which.
 *
 * A look asks for all that may be asked for at that time. In a crowd most of what is heard changes nothing of that: whoever tells of it says what it
 * is, and there is no look unless it lets more be chosen than the last one could.
 */
export class Chooser {
  private isPending = false;
  /** When time alone may let more be chosen than at the last look. */
  private due = 0;
  /** What there was at the last look of that which nobody tells of when it changes. */
  private last: {
    readonly stored: StoredBlob | undefined;
    readonly revision: number | undefined;
    readonly unattested: boolean;
  } = { stored: undefined, revision: undefined, unattested: false };

  /** @param download also is whose budget it is. */
  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly sources: Sources,
    private readonly questions: Questions,
    private readonly download: Choosing,
  ) {}

  /** Looks, as something has changed that may let more be asked for; at most once a turn of the event loop. */
  pump(): void {
    if (this.isPending || this.download.isOver) return;
    this.isPending = true;
    setImmediate(() => {
      this.isPending = false;
      if (!this.download.isOver) this.look();
    });
  }

  /**
   * Time has passed: to be called often. What changes without a word is here: time, what is held and known of the blob when others fetch it or it is thrown
   * away, and what is taken of neighbours.
   */
  tick(): void {
    // Without it nothing is asked, and it comes with a word.
    if (this.sources.supernode.key === undefined) return;
    const { last } = this;
    const stored = this.intake.stored();
    const isSame =
      stored === last.stored && stored?.revision === last.revision && this.download.takesUnattested === last.unattested;
    if (!isSame || performance.now() >= this.due) this.pump();
  }

  /**
   * A neighbour has got blocks. That matters when one of them is missing here and may be asked of it now. When one that is under way is late or
   * does not come, when a block from it or from others has ended, and when it has paused, there is another look.
   */
  neighbourGot(blocks: readonly number[], neighbour: string): void {
    const { isPending, intake, questions, sources, tools } = this;
    const held = intake.stored()?.held;
    if (isPending || held === undefined) return;
    const isWanted = (block: number): boolean => !held.has(block) && questions.flights.stateOf(block) !== 'coming';
    if (!blocks.some(isWanted)) return;
    if (tools.budget.ofPeer(neighbour, sources.alivePeers) > 0 && this.room.peers > 0) this.pump();
  }

  /** Another download has let go of a neighbour: that matters when it has something that is missing here, and this one may ask for more. */
  freed(neighbour: string): void {
    const held = this.intake.stored()?.held;
    const has = this.sources.hasOf(neighbour, this.download.takesUnattested);
    if (this.isPending || held === undefined || has === undefined || this.room.peers <= 0) return;
    for (let block = has.firstBeyond(held); block !== undefined; block = has.firstBeyond(held, block + 1)) {
      if (this.questions.flights.stateOf(block) === 'coming') continue;
      this.pump();
      return;
    }
  }

  /**
   * The supernode has got blocks. While there are neighbours, that matters when it may be asked for more, and for one of these: it is of the
   * share, or late from somebody else, or nobody has brought anything for long. What becomes overdue does so by time.
   */
  supernodeGot(blocks: readonly number[]): void {
    const { download, isPending, questions, sources } = this;
    const held = this.intake.stored()?.held;
    if (isPending || held === undefined) return;
    const isWanted = (block: number): boolean => {
      if (held.has(block)) return false;
      const state = questions.flights.stateOf(block);
      return download.isOurs(block) ? state !== 'coming' : state === 'late';
    };
    if (sources.alivePeers > 0 && download.share !== undefined) {
      if (this.room.supernode <= 0) return;
      if (performance.now() - questions.progress <= this.patience && !blocks.some(isWanted)) return;
    }
    this.pump();
  }

  /** Readers want another block first. That changes what is chosen, and whether anything is only when not all that is missing is looked at. */
  cursorMoved(): void {
    const end = blockCount(this.intake.stored());
    if (end !== undefined && end <= HORIZON) return;
    const { peers, supernode } = this.room;
    if (peers > 0 || supernode > 0) this.pump();
  }

  /** How many blocks may be under way. */
  private get slots(): Room {
    const { budget } = this.tools;
    return { supernode: budget.supernode(this.download, this.sources.alivePeers), peers: budget.peers(this.download) };
  }

  /** How many more may be asked for. It grows when a block has ended or is late, or there are fewer downloads or neighbours: then there is a look. */
  private get room(): Room {
    return this.questions.flights.roomIn(this.slots);
  }

  private get patience(): number {
    return Math.max(PATIENCE, PATIENCE_FACTOR * this.questions.flights.usual);
  }

  private look(): void {
    const stored = this.intake.stored();
    const { takesUnattested } = this.download;
    const now = performance.now();
    this.last = { stored, revision: stored?.revision, unattested: takesUnattested };
    this.due = now + LOOK_AT_LEAST;
    if (stored === undefined || this.sources.supernode.key === undefined || stored.whole) return;
    // One at a time waits for the limit of the rate: so all downloads have a turn, and what is asked next is chosen late. Then there is a look.
    if (this.questions.flights.areHeldBack) return;
    this.choose(stored, now);
    this.due = this.nextDue(now);
  }

  private choose(stored: StoredBlob, now: number): void {
    const { limit } = this.tools;
    const { alivePeers, supernode } = this.sources;
    const { key } = supernode;
    const { slots } = this;
    const { flights: active } = this.questions;
    const flights = [...active];
    const choice = {
      now,
      flights,
      share: this.download.share,
      swarmProgress: this.questions.progress,
      overdue: this.sources.supernode.overdue(now, Math.max(STEP, STEP_FACTOR * active.pace(now))),
      limits: {
        flights: limit === undefined ? Infinity : 1 + flights.length,
        peerFlights: slots.peers,
        patience: this.patience,
        hedgeAfter: active.lateAfter,
      },
    };
    if (key === undefined || !mayPick(active.roomIn(slots), choice, alivePeers > 0)) return;
    const picks = pick({
      ...choice,
      seed: randomInt(2 ** 32),
      held: stored.held,
      end: blockCount(stored),
      sources: this.sources.toPick(flights, now, slots.supernode, {
        unattested: this.download.takesUnattested,
        ahead: this.blocksAhead(stored),
      }),
      cursor: this.intake.cursor(stored),
    });
    for (const { block, source } of picks) {
      this.questions.ask(stored, { block, source, key }).catch((error: unknown) => this.intake.fail(error));
    }
  }

  /** When time alone may let more be asked for: a block is late, a pause is over, one is overdue, or the swarm has brought nothing for long. */
  private nextDue(now: number): number {
    const outOfPatience = this.questions.progress + this.patience;
    return Math.min(
      this.due,
      this.questions.flights.nextLate(now),
      this.sources.nextOpening(now),
      outOfPatience > now ? outOfPatience : Infinity,
    );
  }

  /** What the supernode does not have and may be asked for all the same: while there is nobody else to ask, and the origin gives. */
  private blocksAhead(stored: StoredBlob): readonly number[] {
    const end = blockCount(stored);
    if (end === undefined || !this.download.isFetched || this.sources.alivePeers > 0) return [];
    return this.questions.ahead.blocks(this.sources.supernode.has, stored.held, end);
  }
}

/** How many blocks a blob has; undefined while that is not known. */
export function blockCount(stored: StoredBlob | undefined): number | undefined {
  return stored?.size === undefined ? undefined : stored.grid.blockCount(stored.size);
}
