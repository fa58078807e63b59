import type { BlobId } from '@cdk8s-dragonfly/protocol';

import type { Seal } from './seal';
import type { Account } from './space';
import type { StoredBlob } from './stored-blob';

/** How long after its last read a blob whose users would let it go counts as being read, in milliseconds. */
const QUIET = 2000;

/** A blob of the store. */
export class BlobEntry {
  /** The open blob, while it has users. */
  stored: StoredBlob | undefined;
  users = 0;
  /** Those of the users that would let it go, by what they want to be told then. */
  readonly yielding = new Set<() => void>();
  /** Removed: its files last as long as its users. */
  gone = false;
  /** Whether its account says what is on disk; else it is settled when the last user goes. */
  settled = true;
  lastRead = -Infinity;
  /** The disk did not let it go: it is not tried before then, as `performance.now()`. */
  stuckUntil = -Infinity;
  /** Its files as this process left them when it closed them last. */
  seal: Seal | undefined;
  /** Whether it is here whole, its digest confirmed. */
  finished = false;

  readonly account: Account = { charge: 0, spent: 0 };

  /** @param savedAt when the time of its last use was last written to disk, in milliseconds since 1970. */
  constructor(
    readonly blob: BlobId,
    public savedAt: number,
  ) {}

  /** Whether nobody needs it, or nobody will once it was not read for a moment. */
  get isIdle(): boolean {
    return this.users === this.yielding.size;
  }

  /** Whether it may go now. @param now as `performance.now()`. */
  mayGo(now: number): boolean {
    return this.isIdle && (this.users === 0 || (now - this.lastRead >= QUIET && this.stored?.isBeingRead !== true));
  }

  /** Takes it from the users that would let it go. @returns what was open, and whom to tell. */
  takeAway(): { stored: StoredBlob | undefined; told: (() => void)[] } {
    const taken = { stored: this.stored, told: [...this.yielding] };
    this.yielding.clear();
    this.stored = undefined;
    this.users = 0;
    return taken;
  }
}

/** What the store has, in the order of its last use. */
export class BlobIndex {
  private readonly entries = new Map<BlobId, BlobEntry>();

  get size(): number {
    return this.entries.size;
  }

  get(blob: BlobId): BlobEntry | undefined {
    return this.entries.get(blob);
  }

  /** Adds it as the one that was used last. */
  add(entry: BlobEntry): void {
    this.entries.delete(entry.blob);
    this.entries.set(entry.blob, entry);
  }

  /** It is being used. */
  touch(entry: BlobEntry): void {
    if (this.entries.get(entry.blob) === entry) this.add(entry);
  }

  drop(entry: BlobEntry): void {
    if (this.entries.get(entry.blob) === entry) this.entries.delete(entry.blob);
  }

  /** Those that are whole, used longest ago first. */
  finished(): BlobEntry[] {
    return [...this.entries.values()].filter(({ finished }) => finished);
  }

  /** Those that nobody needs, used longest ago first. */
  idle(): BlobEntry[] {
    return [...this.entries.values()].filter((entry) => entry.isIdle);
  }
}
