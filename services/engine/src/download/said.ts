import type { Share, TaskFailure } from '@cdk8s-dragonfly/protocol';

import type { BlobEvent } from '../links/supernode-session';
import type { Chooser } from './chooser';
import type { Intake } from './intake';
import type { Membership } from './membership';
import type { Ahead } from './ahead';
import type { Sources } from './sources';
import type { DownloadTools } from './tools';

type TaskEvent = Extract<BlobEvent, { type: 'task' }>;

/** Who takes in what a supernode says. */
export interface Hearers {
  readonly ahead: Ahead;
  readonly chooser: Chooser;
  readonly membership: Membership;
  readonly sources: Sources;
  /** The supernode cannot have the blob. */
  failed(failure: TaskFailure): void;
}

/** What the supernode has said of a blob. */
export class Said {
  private toShare: Share | undefined;
  private whole: string | undefined;
  private told: TaskEvent['state'] | undefined;
  /** How often it had been lost when it said that it failed; undefined: it has not, or is at the blob again. */
  private failedAt: number | undefined;
  /** It is taken in one after the other. */
  private hearing: Promise<void> = Promise.resolve();

  constructor(
    private readonly intake: Intake,
    private readonly tools: Pick<DownloadTools, 'log' | 'policy'>,
    private readonly hearers: Hearers,
  ) {}

  /** What to take from it first; undefined while it has not said. */
  get share(): Share | undefined {
    return this.toShare;
  }

  /** SHA-256 of the whole in hex, as it found it; undefined until it has all. */
  get sha256(): string | undefined {
    return this.whole;
  }

  /** How far it is; undefined while it has said nothing. */
  get state(): TaskEvent['state'] | undefined {
    return this.told;
  }

  /** Whether it has failed, and not got at the blob again since: that it tries once more brings nothing, and may take it long to fail again. */
  get hasGivenUp(): boolean {
    return this.failedAt === this.hearers.membership.lostTimes;
  }

  hear(event: BlobEvent): void {
    const { membership } = this.hearers;
    const { lostTimes } = membership;
    // What was said before the supernode was lost is no longer true of the one that is there now.
    const take = async (): Promise<void> => (lostTimes === membership.lostTimes ? this.take(event) : undefined);
    this.hearing = this.hearing.then(take).catch((error: unknown) => this.intake.fail(error));
  }

  private async take(event: BlobEvent): Promise<void> {
    const { ahead, chooser, membership, sources } = this.hearers;
    if (membership.isOver) return;
    ahead.heard();
    switch (event.type) {
      case 'task':
        await this.takeTask(event);
        break;
      case 'have':
        sources.supernode.has = event.blocks;
        this.intake.changed();
        break;
      case 'added':
        for (const block of event.blocks) sources.supernode.has.add(block);
        chooser.supernodeGot(event.blocks);
        return;
      case 'neighbours':
        if (this.tools.policy.trade) sources.setNeighbours(event.peers);
        break;
      case 'share':
        this.toShare = event.share;
        break;
      case 'credentials':
        this.registerAgain();
        return;
    }
    chooser.pump();
  }

  /**
   * With the credentials of the client that came last. Who is not taken in then is in the swarm no more, and seeks it anew. What the supernode says
   * meanwhile does not wait for it: it may have us wait for our turn.
   */
  private registerAgain(): void {
    const { membership } = this.hearers;
    const register = async (): Promise<void> => {
      if (await membership.join()) return;
      this.tools.log.debug({ blob: this.intake.request.blob }, 'nobody takes us in again');
      membership.keepSeeking();
    };
    register().catch((error: unknown) => this.intake.fail(error));
  }

  /** Who has nothing of a blob that its origin refused gives up, and is in the swarm no more. We go on: the supernode is to know of what we have. */
  private stay({ status }: TaskFailure): void {
    const { membership } = this.hearers;
    const hasPart = (this.intake.stored()?.held.count ?? 0) > 0;
    if (status !== undefined && hasPart && !membership.resumes && !membership.isOver) this.registerAgain();
  }

  private async takeTask({ state, failure, pieceSize, size, edition, sha256 }: TaskEvent): Promise<void> {
    this.told = state;
    if (state === 'failed') this.failedAt = this.hearers.membership.lostTimes;
    else if (state !== 'waiting') this.failedAt = undefined;
    if (state === 'failed') {
      if (failure === undefined) return;
      this.hearers.failed(failure);
      this.stay(failure);
      return;
    }
    if (state === 'complete') this.whole = sha256;
    // Before the origin has answered, what the supernode still has of an earlier try says nothing of this one.
    if (pieceSize !== undefined && state !== 'waiting') await this.intake.begin(pieceSize, size, edition);
    this.intake.changed();
  }
}
