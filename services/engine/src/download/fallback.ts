import type { TaskFailure } from '@cdk8s-dragonfly/protocol';

import { BlobUnavailable } from '../node/blob-request';
import type { Intake } from './intake';
import type { OriginIntake } from './origin-intake';
import type { SwarmIntake } from './swarm-intake';
import type { DownloadTools } from './tools';

/** How long the first block is waited for when there is only a silent supernode, in milliseconds. */
const FIRST_WAITS = 1500;

/** When the swarm cannot bring what is missing: then the origin is asked, and for no more than that. */
export class Fallback {
  /** When bytes last came, or were not to be expected, of the steady clock. */
  private progress = 0;
  /** Of the same clock. */
  private began = 0;

  constructor(
    private readonly intake: Pick<Intake, 'fail' | 'stored'>,
    private readonly tools: Pick<DownloadTools, 'clock' | 'timeouts'>,
    private readonly swarm: SwarmIntake,
    private readonly origin: OriginIntake,
    private readonly signal: AbortSignal,
  ) {}

  /** The download begins now. */
  begin(): void {
    this.progress = this.tools.clock.now;
    this.began = this.progress;
  }

  /** Bytes have come. */
  progressed(): void {
    this.progress = this.tools.clock.now;
  }

  /**
   * Before the first byte, what the supernode says of the origin is passed on; after it, we try the origin ourselves, until the supernode is at it again:
   * it is as soon as somebody asks it with better credentials, or there is room on its disk.
   */
  supernodeFailed({ status, message, mismatch: isWrong }: TaskFailure): void {
    const nothingYet = (this.intake.stored()?.held.count ?? 0) === 0;
    if (isWrong === true) this.intake.fail(new BlobUnavailable('digest-mismatch', message));
    else if (status !== undefined && nothingYet)
      this.intake.fail(new BlobUnavailable('origin-status', message, status));
    else this.origin.start(`the supernode failed: ${message.replace(/\.$/, '')}`, this.signal, true);
  }

  /** To be called again and again: the swarm may have stalled, or have nothing left to give, or be there again. */
  look(): void {
    const { origin, swarm, tools } = this;
    // Time in which the supernode itself waits does not count, however long: what comes then is still to be asked of it.
    if (swarm.isHeldBack || swarm.isWaitingForOrigin || swarm.isPutOff) this.progress = tools.clock.now;
    const quiet = tools.clock.now - this.progress;
    if (quiet > tools.timeouts.swarmStall) {
      origin.start(`the swarm brought nothing for ${Math.round(quiet)} ms`, this.signal);
    } else if (swarm.isLost) this.goAlone('the supernode is lost, and no neighbour has what is missing');
    else if (swarm.isServed) origin.swarmReturned();
  }

  /** No supernode is there: what no neighbour has comes from the origin, as long as that is so. */
  goAlone(reason: string): void {
    const { swarm, origin } = this;
    if (swarm.isSparing) {
      if (this.tools.clock.now - this.began >= FIRST_WAITS) origin.fetchFirst(reason, this.signal);
    } else if (origin.isNeeded) origin.start(reason, this.signal, true);
  }
}
