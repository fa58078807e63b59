import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, formatBytes, type Closeable } from '@cdk8s-dragonfly/command';

/** Room that stays free for others, in bytes. */
const SPARE = 64 * 1024 ** 2;

/** The temporary folder of a run. Whatever ends this process, short of SIGKILL, leaves nothing behind. */
export class RunFolder implements Closeable {
  private readonly lastActs: (() => void)[] = [];

  private constructor(
    readonly path: string,
    private readonly keep: boolean,
  ) {}

  /**
   * @param room how many bytes the run will write
   * @param keep whether the folder stays after the run
   * @param parent where the folder is made; TMPDIR names it, /tmp unless set
   * @throws CommandError when there is not that much room, or no folder can be made
   */
  static async make(room: number, keep: boolean, parent = tmpdir()): Promise<RunFolder> {
    try {
      const { bavail, bsize } = await statfs(parent);
      if (bavail * bsize < room + SPARE) {
        throw new CommandError(
          `the run needs ${formatBytes(room + SPARE)} in ${parent}, and ${formatBytes(bavail * bsize)} are free; ` +
            'give a smaller --size or fewer --nodes, or another folder in the variable TMPDIR',
        );
      }
      const folder = new RunFolder(realpathSync(mkdtempSync(join(parent, 'cdk8s-dragonfly-demo-'))), keep);
      folder.watchExit();
      return folder;
    } catch (error) {
      if (error instanceof CommandError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(`no folder can be made in ${parent}, which TMPDIR names: ${reason}`, 1, { cause: error });
    }
  }

  /** The path of something in the folder. */
  in(name: string): string {
    return join(this.path, name);
  }

  /** Makes a folder in the folder. */
  make(name: string): string {
    mkdirSync(this.in(name));
    return this.in(name);
  }

  /** Has `act` called, without waiting for anything, when this process exits before `stop`. */
  atExit(act: () => void): void {
    this.lastActs.push(act);
  }

  /** Removes the folder, unless it is kept. */
  async stop(): Promise<void> {
    process.off('exit', this.onExit);
    process.off('SIGHUP', onHangUp);
    if (!this.keep) await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }

  private watchExit(): void {
    process.once('exit', this.onExit);
    process.once('SIGHUP', onHangUp);
  }

  private readonly onExit = (): void => {
    for (const act of this.lastActs) act();
    if (!this.keep) rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  };
}

/** The terminal has gone. */
function onHangUp(): void {
  process.exit(129);
}
