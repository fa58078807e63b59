import type { KeyObject } from 'node:crypto';

import { BlockSet } from '@cdk8s-dragonfly/protocol';

import type { LinkFailure } from '../links/failure';
import type { Joined } from '../links/registration';
import { Overdue } from '../picker/overdue';

/** How long a source that gives to others first, or a supernode that failed to give a block, is not asked for another, in milliseconds. */
export const PAUSE = 250;

/** The supernode of a download, as a source: whether it answers, what it has, and since when. */
export class SupernodeSource {
  private joined: Joined | undefined;
  private isAlive = false;
  private hasNow = new BlockSet();
  private had = new Overdue();
  private pausedUntil = 0;

  /** Its public key; undefined while none has taken us in. */
  get key(): KeyObject | undefined {
    return this.joined?.key;
  }

  /** Where it is asked for blocks; undefined while none has taken us in. */
  get origin(): URL | undefined {
    return this.joined?.blocks;
  }

  /** Whether one has taken us in and answers. */
  get answers(): boolean {
    return this.isAlive;
  }

  /** Whether it was there and has gone silent. */
  get isLost(): boolean {
    return this.joined !== undefined && !this.isAlive;
  }

  /** What it says that it has. */
  get has(): BlockSet {
    return this.hasNow;
  }

  /** When it says anew what it has, the blob may have begun anew: nothing of that has been there for long. */
  set has(has: BlockSet) {
    this.hasNow = has;
    this.had = new Overdue();
  }

  /** Whether it is there and has the block. */
  offers(block: number): boolean {
    return this.isAlive && this.hasNow.has(block);
  }

  /** It has taken us in. */
  took(joined: Joined): void {
    this.joined = joined;
    this.isAlive = true;
  }

  lost(): void {
    this.isAlive = false;
    // Another, or the same started anew, may have none of it.
    this.has = new BlockSet();
  }

  /** Anything that it says shows that it lives. */
  heard(): void {
    this.isAlive = this.joined !== undefined;
  }

  /** It did not give a block. */
  failed({ kind }: LinkFailure, block: number): void {
    this.pausedUntil = performance.now() + PAUSE;
    if (kind === 'missing') this.hasNow.delete(block);
  }

  /** Whether it may be asked now. */
  isOpen(now: number): boolean {
    return this.isAlive && now >= this.pausedUntil;
  }

  /** What it has had for long, see {@link Overdue}. @param step in milliseconds. */
  overdue(now: number, step: number): readonly BlockSet[] {
    return this.had.look(now, this.hasNow, step);
  }

  /** When time alone may next let more be asked of it: its pause is over, or blocks are overdue; Infinity when none will be. */
  nextOpening(now: number): number {
    return this.pausedUntil > now ? Math.min(this.had.nextLook, this.pausedUntil) : this.had.nextLook;
  }
}
