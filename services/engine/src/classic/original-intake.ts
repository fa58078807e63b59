import { setTimeout as delay } from 'node:timers/promises';

import type { Intake } from '../download/intake';
import type { DownloadTools } from '../download/tools';
import { OriginalPull } from './original-pull';
import type { OriginalPlace } from './original-supernode';

/** Each supernode gets so many chances, as with original clients. */
const ROUNDS = 2;

/** How long the last word of a supernode may take once all pieces are here, in milliseconds. */
const LAST_WORD = 5000;

/** How a download goes on when a supernode is of no use any more. */
export interface OriginalFallbacks {
  /** Registers anew, passing over these supernodes; answers whether one took it in. */
  readonly rejoin: (passOver: ReadonlySet<string>) => Promise<boolean>;
  /** No supernode helps. */
  readonly gaveUp: (reason: string) => void;
}

/** Pieces from original supernodes and their clients: goes from one supernode to the next when it fails (Dragonfly 0.x protocol, 4.4). */
export class OriginalIntake {
  private readonly stopping = new AbortController();
  private next: OriginalPlace | undefined;
  private running: Promise<void> | undefined;
  private last: { readonly place: OriginalPlace; readonly pull: OriginalPull } | undefined;

  constructor(
    private readonly intake: Intake,
    private readonly tools: DownloadTools,
    private readonly fallbacks: OriginalFallbacks,
  ) {}

  /** Whether an original supernode has given something. */
  get isUsed(): boolean {
    return this.last !== undefined;
  }

  /** The MD5 of the whole in lower case, which the supernode tells at the end; undefined when it tells none, or nothing in time. */
  async lastWord(): Promise<string | undefined> {
    if (this.running !== undefined) await Promise.race([this.running, delay(LAST_WORD, undefined, { ref: false })]);
    return this.last?.pull.md5;
  }

  /** An original supernode has taken the download in. */
  start(place: OriginalPlace): void {
    if (this.intake.finished()) return;
    if (this.tools.shares.isDistrusted(this.intake.request.blob)) {
      this.fallbacks.gaveUp('what original supernodes gave for it was wrong just now');
      return;
    }
    this.next = place;
    this.running ??= this.follow()
      .catch((error: unknown) => {
        if (!this.stopping.signal.aborted) this.intake.fail(error);
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  /** Resolves when nothing of it runs. */
  async ended(): Promise<void> {
    await this.running;
  }

  stop(): void {
    this.stopping.abort(new Error('the download has ended'));
  }

  /** The whole is wrong, and it may be what came from here. */
  distrust(): void {
    if (this.last !== undefined) this.tools.shares.distrust(this.intake.request.blob);
  }

  /** The whole is right: others may have it from here. */
  shareWhole(): void {
    const stored = this.intake.stored();
    if (stored === undefined || this.last === undefined) return;
    this.tools.shares.shareWhole(stored, this.last.place, this.last.pull.from);
  }

  private async follow(): Promise<void> {
    const { log } = this.tools;
    const { blob } = this.intake.request;
    const passOver = new Set<string>();
    let reason = '';
    for (let round = 1; !this.intake.finished();) {
      const place = this.next;
      this.next = undefined;
      if (place !== undefined) {
        const pull = new OriginalPull(place, this.intake, this.tools);
        this.last = { place, pull };
        const failure = await pull.run(this.stopping.signal);
        if (failure === undefined) return;
        reason = `supernode ${place.supernode.name}: ${failure}`;
        log.warn({ blob, reason }, 'an original supernode is of no use any more');
        passOver.add(place.supernode.name);
      }
      // A native supernode has taken over when it is taken in without a place.
      if (await this.fallbacks.rejoin(passOver)) {
        if (!this.hasNext()) return;
        continue;
      }
      round += 1;
      if (round > ROUNDS || passOver.size === 0) break;
      passOver.clear();
    }
    if (!this.intake.finished()) this.fallbacks.gaveUp(reason);
  }

  private hasNext(): boolean {
    return this.next !== undefined;
  }
}
