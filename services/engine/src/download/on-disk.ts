import { strongEtag } from '@cdk8s-dragonfly/origin';
import { isDigest, isMarked } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Edition } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { BlobUnavailable } from '../node/blob-request';
import type { BlobRequest } from '../node/blob-request';
import type { Bell } from './bell';
import type { DownloadTools } from './tools';

/** What a download has on disk: taken up when an earlier process left it, made when its grid is told, and let go at the end. */
export class OnDisk {
  private blobOnDisk: StoredBlob | undefined;
  private making: Promise<StoredBlob> | undefined;
  private toldSize: number | undefined;
  private isSizeDoubtful = false;
  private isTold = false;
  private left = 0;
  private mustBeVouched = false;
  private mustKeepEdition = false;
  private closed = false;

  /** @param bell rings when it is there, and when more of it is. */
  constructor(
    private readonly blob: BlobId,
    private readonly tools: Pick<DownloadTools, 'log' | 'policy' | 'store'>,
    private readonly bell: Bell,
  ) {}

  /** The blob on disk; undefined until its grid is known. */
  get stored(): StoredBlob | undefined {
    return this.blobOnDisk;
  }

  /** Length in bytes; undefined while nobody has told it, and when it was told differently. */
  get size(): number | undefined {
    return this.isSizeDoubtful ? undefined : (this.blobOnDisk?.size ?? this.toldSize);
  }

  /** Whether somebody who has the blob has told its grid. */
  get isSettled(): boolean {
    return this.isTold;
  }

  /** How many bytes an earlier process had left. */
  get resumed(): number {
    return this.left;
  }

  /** Whether what an earlier process left may be of other content, and the client has not said what the whole is: the supernode has to. */
  get isUnvouched(): boolean {
    return this.mustBeVouched;
  }

  /** Takes up what an earlier process left. @returns whether that is whole and right. */
  async takeUp(request: BlobRequest): Promise<boolean> {
    const { store, policy, log } = this.tools;
    const left = await store.find(this.blob).catch((error: unknown) => {
      log.warn({ blob: this.blob, err: error }, 'what is on disk cannot be opened');
      return undefined;
    });
    if (left === undefined) return false;
    const isChecked = isDigest(this.blob) && left.finished;
    if (!isDigest(this.blob)) {
      if (!policy.resumeTasks || !isNamedByClient(request)) {
        // Other content may stand at that URL by now.
        await left.release();
        this.mustBeVouched = policy.resumeTasks && left.held.count > 0;
        if (!this.mustBeVouched) await store.remove(this.blob);
        return false;
      }
      left.disown();
    }
    this.left = left.heldBytes;
    this.adopt(left);
    return isChecked;
  }

  /**
   * Somebody who has it has told its grid, and perhaps its size.
   *
   * @param edition of a blob that is named by its URL. Default: it is not known.
   * @throws Error when that is not what others told, BlobUnavailable `changed` when it is another edition; what is here is thrown away then.
   */
  async begin(pieceSize: number, size: number | undefined, edition?: Edition): Promise<StoredBlob> {
    this.toldSize ??= size;
    const stored = this.blobOnDisk ?? (await (this.making ??= this.make(pieceSize, size)));
    if (edition !== undefined) await this.keepTo(edition, stored);
    if (size !== undefined) await stored.setSize(size);
    if (stored.grid.pieceSize !== pieceSize || (size !== undefined && stored.size !== size)) {
      // Somebody told a wrong length, and what is on disk was made for it: the next download begins anew.
      this.isSizeDoubtful = true;
      await this.throwAway();
      const told = `${size ?? 'an unknown number of'} bytes in pieces of ${pieceSize}`;
      throw new Error(
        `${this.blob} has ${told}, not ${stored.size ?? 'unknown'} in pieces of ${stored.grid.pieceSize}`,
      );
    }
    await stored.reserve();
    this.isTold = true;
    this.bell.ring();
    return stored;
  }

  /** What stands at a URL may be replaced at any time, and blocks of two versions do not fit together. */
  private async keepTo(edition: Edition, stored: StoredBlob): Promise<void> {
    if (stored.edition?.id === edition.id) return;
    // What an earlier process left is checked as a whole, where somebody knows the digest.
    const isCheckedAsWhole = this.left > 0 && !this.mustKeepEdition && stored.heldBytes === this.left;
    if (stored.held.count === 0 || isCheckedAsWhole) {
      await stored.setEdition(edition);
      return;
    }
    await this.throwAway();
    const why =
      stored.edition === undefined || isMarked(edition) || isMarked(stored.edition)
        ? `another version of ${this.blob} stands at its URL than when it was begun`
        : `nobody knows whether ${this.blob} is still what was begun: its origin sends neither ETag nor Last-Modified`;
    const what = `${why}; what was here was thrown away`;
    throw new BlobUnavailable('changed', what);
  }

  /** Resolves once it is there. @throws the signal's reason when it aborts first. */
  async whenStored(signal: AbortSignal): Promise<StoredBlob> {
    while (this.blobOnDisk === undefined) await this.bell.next(signal);
    return this.blobOnDisk;
  }

  /** Nobody is there to vouch for what an earlier process left: it is of use only if the origin tells that it still has that edition. */
  async goUnvouched(): Promise<void> {
    if (!this.mustBeVouched) return;
    this.mustBeVouched = false;
    const { store } = this.tools;
    const left = this.blobOnDisk === undefined ? await store.find(this.blob) : undefined;
    if (left !== undefined && isOfTaggedEdition(left)) {
      left.disown();
      this.mustKeepEdition = true;
      this.left = left.heldBytes;
      this.adopt(left);
      return;
    }
    await left?.release();
    await store.remove(this.blob);
  }

  /** Gives the blob its final name. Without it, it is checked again after a restart. */
  async keep(stored: StoredBlob): Promise<void> {
    try {
      await stored.finish();
    } catch (error) {
      this.tools.log.warn({ blob: this.blob, err: error }, 'what was downloaded could not be given its final name');
    }
  }

  /** What is on disk is wrong. A disk that does not let it go keeps blocks that nobody takes for a whole blob. */
  async throwAway(): Promise<void> {
    try {
      await this.tools.store.remove(this.blob);
    } catch (error) {
      this.tools.log.warn({ blob: this.blob, err: error }, 'what is wrong could not be removed');
    }
  }

  /** Lets go of the files once `ended` resolves. Nothing more is made from now on. */
  async close(ended: Promise<void>): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await ended;
    await this.blobOnDisk?.release();
  }

  /** Makes the blob, once however many bring it at the same time. */
  private async make(pieceSize: number, size: number | undefined): Promise<StoredBlob> {
    const stored = await this.tools.store.create(this.blob, pieceSize, size);
    if (this.mustBeVouched) {
      stored.disown();
      this.left = stored.heldBytes;
      this.mustBeVouched = stored.held.count > 0;
    }
    if (this.closed) {
      await stored.release();
      throw new BlobUnavailable('unstorable', `${this.blob} is not wanted any more`);
    }
    this.adopt(stored);
    return stored;
  }

  private adopt(stored: StoredBlob): void {
    this.blobOnDisk = stored;
    stored.watch(() => this.bell.ring());
    this.bell.ring();
  }
}

/**
 * Whether the origin can tell by its entity tag whether a part of a blob is of what it has now. Where it has told no length, nobody knows
 * whether anything is missing, for which it would be asked.
 */
export function isOfTaggedEdition({ edition, size, whole }: Pick<StoredBlob, 'edition' | 'size' | 'whole'>): boolean {
  return strongEtag(edition?.etag) !== undefined && size !== undefined && !whole;
}

/** Whether the client has said by which digest the content is known. */
function isNamedByClient({ sha256, task }: BlobRequest): boolean {
  return sha256 !== undefined || (task?.md5 ?? '') !== '';
}
