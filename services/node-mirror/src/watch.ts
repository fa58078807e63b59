import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@cdk8s-dragonfly/command';
import type { NodeMirror } from './node-mirror';
import { processIdentity } from './files/process-identity';
import { Refusal } from './refusal';
import { type Report, refusals } from './report';

/** What `watch` needs to know. */
export interface WatchSettings {
  /** How long from one look to the next, in milliseconds. */
  readonly intervalMs: number;
  /** A file that is there from before the first change until the mirror is off again, and names this process ({@link processIdentity}). */
  readonly onFile?: string;
}

/** The outside of a {@link Watch}. */
export interface WatchPorts {
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Tells each outcome that differs from the one before. */
  readonly deliver: (report: Report) => Promise<void>;
  /** Removes the node's startup taint; absent: that is not wanted. */
  readonly removeTaint?: () => Promise<boolean>;
}

/** The time between two looks while the node is not as wanted, at most. */
const RETRY_MS = 5_000;

/**
 * Keeps the runtimes of a node pointed at its df-daemon for as long as it runs: the long-running container of a DaemonSet. It
 * comes back to what others undo, and takes the mirror off before it ends.
 */
export class Watch {
  private last = '';
  private taintIsGone = false;

  constructor(
    private readonly nodeMirror: Pick<NodeMirror, 'apply' | 'restore'>,
    private readonly settings: WatchSettings,
    private readonly ports: WatchPorts,
  ) {}

  /** Runs until the signal. @returns the report of the `restore` at the end */
  async run(): Promise<Report> {
    const { signal } = this.ports;
    await this.setOnFile();
    while (!signal.aborted) {
      const done = await this.look();
      await this.sleep(done ? this.settings.intervalMs : Math.min(RETRY_MS, this.settings.intervalMs));
    }
    const report = await this.nodeMirror.restore({ toTheEnd: true });
    await this.ports.deliver(report);
    // While a runtime still has the mirror, its df-daemon must not stop: the file stays.
    if (refusals(report).length === 0 && this.settings.onFile !== undefined) {
      await rm(this.settings.onFile, { force: true });
    }
    return report;
  }

  /** One look, and what it asks for. @returns whether the node is as wanted */
  private async look(): Promise<boolean> {
    const report = await this.nodeMirror.apply();
    if (this.ports.signal.aborted) return true;
    const outcome = JSON.stringify([refusals(report), report.runtimes.map((one) => [one.runtime, one.outcome])]);
    const changed = report.runtimes.some((one) => one.outcome === 'changed');
    if (changed || outcome !== this.last) await this.ports.deliver(report);
    this.last = outcome;
    if (refusals(report).length > 0) return false;
    return await this.untaint();
  }

  private async untaint(): Promise<boolean> {
    const { removeTaint, log } = this.ports;
    if (removeTaint === undefined || this.taintIsGone) return true;
    try {
      if (await removeTaint()) log.info('the startup taint of the node was removed');
      this.taintIsGone = true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log.warn({ reason: error.message }, 'the startup taint stays for now');
    }
    return this.taintIsGone;
  }

  private async setOnFile(): Promise<void> {
    const { onFile } = this.settings;
    if (onFile === undefined) return;
    try {
      await makeFolder(dirname(onFile));
      // Who waits for the end of the file need not wait for a process that was killed and will not remove it.
      await writeFile(onFile, (await processIdentity('self')) ?? '');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Refusal(`--on-file ${onFile} cannot be written, so nothing was changed: ${why}`, { cause });
    }
  }

  private async sleep(ms: number): Promise<void> {
    const { signal } = this.ports;
    await pause(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/**
 * Makes a folder, if it is not there, in one that is there: Node's way of making all that are missing never ends below /proc.
 *
 * @throws the system's error.
 */
async function makeFolder(path: string): Promise<void> {
  const made = await stat(path).catch(() => undefined);
  if (made?.isDirectory() !== true) await mkdir(path);
}
