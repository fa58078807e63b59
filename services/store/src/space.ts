import type { FreeSpace } from './free-space';
import { noRoom } from './unstorable';

/** What a blob takes up, in bytes. */
export interface Account {
  /** What it has on disk and may still write: counted against the quota. */
  charge: number;
  /** What of it is written, or being written. */
  spent: number;
}

/** How much the store may take. */
export interface SpaceLimits {
  /** The most that the store's own files take up on disk, in bytes. */
  readonly quota: number;
  /** What must stay free on the file system, in bytes. */
  readonly minFree: number;
}

/** Makes room by removing blobs. */
export interface Evictor {
  /** Bytes of what may go now, and of what may go when nobody has read it for a moment. */
  evictable(): { readonly now: number; readonly soon: number };
  /** Removes what was not used for the longest time, until so many bytes have gone or nothing more may go. */
  evict(bytes: number): Promise<void>;
  /** Resolves a moment later, when something may have become quiet. */
  moment(): Promise<void>;
}

/** What the file system itself may need for its own books beside our bytes. */
const MARGIN = 256 * 1024;

/** So close above the floor the file system is asked before each write: others may be faster than we are. */
const NEAR = 64 * 1024 * 1024;

/** Moments that a blob waits for others to be read to their end. */
const MOMENTS = 30;

/**
 * The bytes of the store: a quota on our own and a floor of what stays free. All that is written was reserved first; what does not
 * fit makes others go, or is refused before anything of it is written.
 */
export class Space {
  private used = 0;
  /** Reserved and not yet written. */
  private promised = 0;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly limits: SpaceLimits,
    private readonly free: FreeSpace,
    private readonly evictor: Evictor,
  ) {}

  /** Bytes on disk or promised. */
  get bytes(): number {
    return this.used;
  }

  /**
   * Adds to the charge of an account, evicting others where needed.
   *
   * @param more how much, read anew whenever it matters; nothing happens when it is not above 0.
   * @param what for the message.
   * @throws Unstorable when it cannot fit.
   */
  async reserve(account: Account, more: () => number, what: string): Promise<void> {
    if (more() <= 0 || (this.free.isFresh && this.take(account, more()))) return;
    await this.inTurn(() => this.makeRoomFor(account, more, what));
  }

  /**
   * Announces a write of `bytes` for which there is a reservation: others may have taken from the disk since.
   *
   * @returns what to call when the write has ended.
   * @throws Unstorable when the floor would be crossed.
   */
  async begin(account: Account, bytes: number, what: string): Promise<() => void> {
    if (!this.free.isFresh || this.belowFloorBy(bytes) > -NEAR) await this.free.read();
    if (this.belowFloorBy(bytes) > 0) await this.inTurn(() => this.raise(bytes, what));
    this.free.begin(bytes);
    const spent = Math.min(account.spent + bytes, account.charge);
    this.promised -= spent - account.spent;
    account.spent = spent;
    return () => this.free.end(bytes);
  }

  /** Says what an account has on disk, with nothing more to come. */
  settle(account: Account, charge: number): void {
    this.used += charge - account.charge;
    this.promised -= account.charge - account.spent;
    account.charge = charge;
    account.spent = charge;
  }

  /** Sees to quota and floor when others have written to the disk. */
  async check(): Promise<void> {
    await this.inTurn(async () => {
      await this.free.read();
      const short = this.shortBy(0);
      if (short > 0) await this.evictor.evict(short);
    });
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.queue.then(work);
    // The next in the queue begins whether this one succeeds or not; its caller hears of a failure.
    this.queue = mine.then(
      () => undefined,
      () => undefined,
    );
    await mine;
  }

  private take(account: Account, more: number): boolean {
    if (more <= 0) return true;
    if (this.shortBy(more) > 0) return false;
    this.used += more;
    this.promised += more;
    account.charge += more;
    return true;
  }

  private async makeRoomFor(account: Account, more: () => number, what: string): Promise<void> {
    for (let moments = 0; ;) {
      await this.free.read();
      if (this.take(account, more())) return;
      const short = this.shortBy(more());
      const { now, soon } = this.evictor.evictable();
      if (short > now + soon || (now === 0 && moments === MOMENTS)) throw noRoom(what, this.report(more()));
      if (now > 0) await this.evictor.evict(short);
      else {
        moments += 1;
        await this.evictor.moment();
      }
    }
  }

  /** Lifts the free space so far that a write of `bytes` may begin. */
  private async raise(bytes: number, what: string): Promise<void> {
    for (;;) {
      await this.free.read();
      const short = this.belowFloorBy(bytes);
      if (short <= 0) return;
      if (this.evictor.evictable().now === 0) throw noRoom(what, this.report(bytes));
      await this.evictor.evict(short);
    }
  }

  private belowFloorBy(bytes: number): number {
    return this.limits.minFree + MARGIN + bytes - this.free.bytes;
  }

  /** What is missing for `bytes` more. */
  private shortBy(bytes: number): number {
    const overQuota = this.used + bytes - this.limits.quota;
    return Math.max(0, overQuota, this.belowFloorBy(this.promised + bytes));
  }

  private report(needed: number): Parameters<typeof noRoom>[1] {
    const { quota, minFree } = this.limits;
    return { needed, quota, used: this.used, free: Math.max(0, this.free.bytes), minFree };
  }
}
