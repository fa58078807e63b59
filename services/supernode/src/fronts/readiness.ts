import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** For how long the look at the disk counts, in ms. */
const DISK_LOOK_LASTS = 2000;

/** How long the disk may take, in ms. */
const DISK_LIMIT = 1500;

/** What has to be for the supernode to be ready. */
export interface ReadinessChecks {
  readonly homeDir: string;
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

  /**
   * A full disk is no fault: what is on it is served, and what does not fit is told at once. Unready for it, the only supernode would be lost
   * to all daemons.
   */
  private async diskFault(): Promise<string | undefined> {
    const { homeDir } = this.checks;
    try {
      const probe = join(homeDir, `.ready-${process.pid}`);
      const file = await open(probe, 'w', 0o600);
      try {
        await file.write('1');
      } finally {
        await file.close();
        await rm(probe, { force: true });
      }
      return undefined;
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      return code === 'ENOSPC' || code === 'EDQUOT' ? undefined : `${homeDir} cannot be written: ${code}`;
    }
  }
}
