import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;

/** A real file system of a few MiB; root alone can make one. */
export class SmallDisk {
  private constructor(
    private readonly home: string,
    readonly folder: string,
  ) {}

  /** Whether one can be made here. */
  static get isPossible(): boolean {
    try {
      SmallDisk.make('tmpfs', 1).remove();
      return true;
    } catch {
      return false; // not root, or root without the right to mount
    }
  }

  static make(kind: 'tmpfs' | 'ext4', mib: number): SmallDisk {
    const home = mkdtempSync(join(tmpdir(), 'small-disk-'));
    const folder = join(home, 'disk');
    mkdirSync(folder);
    try {
      if (kind === 'tmpfs') run('mount', '-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder);
      else {
        const image = join(home, 'image');
        run('truncate', '-s', `${mib}M`, image);
        run('mkfs.ext4', '-q', '-m', '0', image);
        run('mount', '-o', 'loop', image, folder);
      }
    } catch (error) {
      rmSync(home, { recursive: true });
      throw error;
    }
    return new SmallDisk(home, folder);
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Somebody else writes until so many bytes are left. */
  fill(left: number): void {
    const bytes = this.free - left;
    if (bytes > 0) writeFileSync(join(this.folder, `filler-${Date.now()}`), Buffer.alloc(bytes));
  }

  makeReadOnly(): void {
    run('mount', '-o', 'remount,ro', this.folder);
  }

  remove(): void {
    run('umount', this.folder);
    rmSync(this.home, { recursive: true });
  }
}

/** Follows the free space of a disk, every millisecond that the event loop allows; gives the least that was seen when it is asked to stop. */
export function watchFree(disk: SmallDisk): () => { least: number; looks: number } {
  const seen = { least: Infinity, looks: 0 };
  let stopped = false;
  const look = (): void => {
    seen.least = Math.min(seen.least, disk.free);
    seen.looks += 1;
    if (!stopped) setTimeout(look, 1);
  };
  look();
  return () => {
    stopped = true;
    return seen;
  };
}

export const mebibytes = (count: number): number => count * MIB;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
