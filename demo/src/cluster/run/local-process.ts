import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, type Closeable } from '@cdk8s-dragonfly/command';
import type { ProcessPlan } from '../plan/process-plan';
import { lastTellingLine } from './last-log-line';

/** How long a process may take to stop by itself, in milliseconds. */
const STOP_LIMIT = 15_000;

/** A process that a plan describes. */
export class LocalProcess implements Closeable {
  /** Resolves when the process has ended, with the reason in words. */
  readonly ended: Promise<string>;
  private isRunning = true;

  private constructor(
    readonly plan: ProcessPlan,
    /** Its standard output and error. */
    readonly logFile: string,
    private readonly child: ChildProcess,
  ) {
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.isRunning = false;
        resolve(`before it started: ${error.message}`);
      });
      child.once('exit', (code, signal) => {
        this.isRunning = false;
        resolve(signal === null ? `with exit code ${code ?? 0}` : `by ${signal}`);
      });
    });
  }

  /**
   * Makes the folders and files of the plan and starts its command.
   *
   * @param options.script the launcher of the command
   * @param options.folder where its log is written
   */
  static start(plan: ProcessPlan, options: { readonly script: string; readonly folder: string }): LocalProcess {
    for (const folder of plan.folders) mkdirSync(folder, { recursive: true });
    for (const { path, text, mode } of plan.files) writeFileSync(path, text, { mode });
    const logFile = join(options.folder, `${plan.name}.log`);
    const log = openSync(logFile, 'a');
    try {
      const child = spawn(process.execPath, [options.script, ...plan.args], {
        cwd: plan.home,
        env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], HOME: plan.home, ...plan.env },
        stdio: ['ignore', log, log],
      });
      return new LocalProcess(plan, logFile, child);
    } finally {
      closeSync(log);
    }
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether the process is not there any more. */
  get hasEnded(): boolean {
    return !this.isRunning;
  }

  /** Why the process is not there any more, in one sentence. */
  async failure(): Promise<CommandError> {
    const reason = await this.ended;
    const line = lastTellingLine(this.logFile);
    return new CommandError(
      `${this.plan.name} (${this.plan.command}) ended ${reason}${line === undefined ? '' : `: ${line}`}`,
    );
  }

  /** Asks the process to stop, and ends it when it does not. */
  async stop(): Promise<void> {
    if (!this.isRunning || this.child.pid === undefined) return;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT);
    await exit;
    clearTimeout(timer);
  }

  /** Ends the process at once, without waiting: for an exit that allows no more. */
  kill(): void {
    if (this.isRunning) this.child.kill('SIGKILL');
  }
}
