import type { Grid } from '@cdk8s-dragonfly/protocol';

import { tableLength } from './block-table';
import type { Account, Space } from './space';

/** Disks give room in pages of this size. */
const PAGE = 4096;

/** A block begins and ends within a page, which may hold nothing else; its record may need a new page too. */
const BLOCK_EXTRA = 3 * PAGE;

/** What an empty blob takes: a page of its table, and perhaps a new folder. */
const EMPTY_BLOB = 2 * PAGE;

/** What a blob of known size takes at most, data and table, in bytes. */
function wholeBlob(grid: Grid, size: number): number {
  return pages(size) + pages(tableLength(grid.blockCount(size))) + PAGE;
}

/** Reserves the room of one open blob: the whole at once when its size is known, else block by block. */
export class BlobRoom {
  private whole: number | undefined;

  constructor(
    private readonly what: string,
    private readonly space: Space,
    private readonly account: Account,
  ) {}

  /** @throws Unstorable when the blob cannot fit. */
  async reserveWhole(grid: Grid, size: number): Promise<void> {
    const whole = wholeBlob(grid, size);
    await this.space.reserve(this.account, () => whole - this.account.charge, this.what);
    this.whole = whole;
  }

  /**
   * Room for the files of a blob that is new.
   *
   * @returns what to call when they are made, or are not.
   * @throws Unstorable when the blob cannot fit.
   */
  async beginFiles(grid: Grid, size: number | undefined): Promise<() => void> {
    if (size === undefined) await this.space.reserve(this.account, () => EMPTY_BLOB, this.what);
    else await this.reserveWhole(grid, size);
    return this.space.begin(this.account, EMPTY_BLOB, this.what);
  }

  /**
   * Room for a block.
   *
   * @returns what to call when it is written, or is not.
   * @throws Unstorable when it cannot fit.
   */
  async beginBlock(length: number, grid: Grid, size: number | undefined): Promise<() => void> {
    const bytes = length + BLOCK_EXTRA;
    if (size === undefined) await this.space.reserve(this.account, () => bytes, this.what);
    else if (this.whole === undefined) await this.reserveWhole(grid, size);
    return this.space.begin(this.account, bytes, this.what);
  }

  /** What the files take on disk, now that no more is written. */
  settle(bytes: number): void {
    this.whole = undefined;
    this.space.settle(this.account, bytes);
  }
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}
