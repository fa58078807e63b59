import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { formatBytes } from '@cdk8s-dragonfly/command';

/** For how long the look at the disk counts, in ms. */
const DISK_LOOK_LASTS = 2000;

/** How long the disk may take, in ms. */
const DISK_LIMIT = 1500;

/** What has to be for the supernode to be ready. */
export interface ReadinessChecks {
  readonly homeDir: string;
  /** Free space in bytes that the file system must have. Default 0. */
  readonly minFree?: number | undefined;
  /** The parts that must take requests, by name. */
  readonly parts: () => ReadonlyMap<string, boolean>;
}

/** Whether the supernode can take work, and why not. */
export class Readiness {
  private disk: Promise<string | undefined> | undefined;

  constructor(private readonly checks: ReadinessChecks) {}

  /** One sentence for each thing that is missing; none when it is ready. */
  async missing(): Promise<readonly string[]> {
    const parts = [...this.checks.parts()].flatMap(([name, ready]) => (ready ? [] : [`${name} takes no requests`]));
    const disk = await (this.disk ??= this.lookAtDisk());
    return disk === undefined ? parts : [...parts, disk];
  }

  private lookAtDisk(): Promise<string | undefined> {
    const { homeDir } = this.checks;
    setTimeout(() => (this.disk = undefined), DISK_LOOK_LASTS).unref();
    const late = delay(DISK_LIMIT, `${homeDir} did not answer within ${DISK_LIMIT} ms`, { ref: false });
    return Promise.race([this.diskFault(), late]);
  }

  private async diskFault(): Promise<string | undefined> {
    const { homeDir, minFree = 0 } = this.checks;
    try {
      const probe = join(homeDir, `.ready-${process.pid}`);
      const file = await open(probe, 'w', 0o600);
      try {
        await file.write('1');
      } finally {
        await file.close();
        await rm(probe, { force: true });
      }
      const { bavail, bsize } = await statfs(homeDir);
      const free = bavail * bsize;
      if (free >= minFree) return undefined;
      return `${homeDir} has ${formatBytes(free)} free, less than the ${formatBytes(minFree)} to be kept`;
    } catch (error) {
      return `${homeDir} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
  }
}
