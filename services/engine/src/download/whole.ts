import { hexOf, isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { BlobUnavailable } from '../node/blob-request';
import type { BlobRequest } from '../node/blob-request';
import type { Bell } from './bell';
import type { Doubts } from './doubts';
import { mismatch } from './unavailable';
import { hashWhole } from './verify';

/** What the check of the whole has to know of the rest of a download. */
export interface WholeView {
  /** The request of the client that came last. */
  request(): BlobRequest;
  /** SHA-256 in hex as the supernode found it; undefined while it has told none. */
  told(): string | undefined;
  /** Whether the supernode may still tell it. */
  mayBeTold(): boolean;
  /** Whether somebody has to say what the whole is. */
  isUnvouched(): boolean;
  /** Fetches from the origin what was thrown away. */
  refetch(reason: string): void;
  /** The MD5 of the whole that an original supernode tells at the end; undefined when it tells none. */
  lastWord(): Promise<string | undefined>;
}

/** Whether the whole is what it should be: by its digest, the client's word, the supernode's, or the MD5 of an original one. */
export class Whole {
  /** @param patience for how long the supernode's word is waited for, in milliseconds. */
  constructor(
    private readonly blob: BlobId,
    private readonly view: WholeView,
    private readonly bell: Bell,
    private readonly doubts: Doubts,
    private readonly patience: number,
  ) {}

  /** SHA-256 that the whole must have, in hex; undefined when nobody has told it. */
  get expected(): string | undefined {
    return isDigest(this.blob) ? hexOf(this.blob) : (this.view.request().sha256 ?? this.view.told());
  }

  /**
   * Follows the blob while it arrives. When it is wrong and a neighbour's block is or was part of it, it is taken anew without that.
   *
   * @throws BlobUnavailable when it is wrong; the signal's reason when it aborts; an error of the disk.
   */
  async check(stored: StoredBlob, signal: AbortSignal): Promise<void> {
    const sha256 = await this.hashWithoutDoubt(stored, signal);
    await this.hearDigest(signal);
    const md5 = this.expected === undefined ? await this.view.lastWord() : undefined;
    const { expected } = this;
    const isVouched = !this.view.isUnvouched() || expected !== undefined || md5 !== undefined;
    if (!isVouched || this.isWrong(sha256)) throw mismatch(this.blob, stored.size ?? 0, sha256, expected);
    if (md5 !== undefined) await this.checkMd5(stored, md5, signal);
  }

  private async hashWithoutDoubt(stored: StoredBlob, signal: AbortSignal): Promise<string> {
    const { doubts } = this;
    for (;;) {
      const { replacements } = doubts;
      const sha256 = await hashWhole(stored, this.bell, signal);
      // What made room for another block meanwhile may be a part of this hash, and what takes its place may not be here yet.
      if (doubts.replacements !== replacements || !stored.whole) continue;
      if (!this.isWrong(sha256)) {
        doubts.settle();
        return sha256;
      }
      if (doubts.throwAway(stored) === 0) return sha256;
      this.view.refetch('what neighbours had from there does not fit together');
    }
  }

  /** Waits for the supernode's word on the whole, as long as what an earlier process left needs it. */
  private async hearDigest(signal: AbortSignal): Promise<void> {
    const until = performance.now() + this.patience;
    const { view } = this;
    while (view.isUnvouched() && this.expected === undefined && view.mayBeTold() && performance.now() < until) {
      await this.bell.next(signal);
    }
  }

  private isWrong(sha256: string): boolean {
    return this.expected !== undefined && sha256 !== this.expected;
  }

  /** An original supernode may tell the MD5 of what has no digest. */
  private async checkMd5(stored: StoredBlob, md5: string, signal: AbortSignal): Promise<void> {
    const real = await hashWhole(stored, this.bell, signal, 'md5');
    if (real === md5) return;
    const message = `the ${stored.size ?? 0} bytes of ${this.blob} have the MD5 ${real}, not ${md5}; they were thrown away`;
    throw new BlobUnavailable('digest-mismatch', message);
  }
}
