import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { eventually } from './eventually';

export interface DaemonSpec {
  /** What it is called in messages, such as `node1 dockerd`. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Where its standard output and standard error go. */
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended: an exit code, or the signal that killed it. */
export type Ending = number | NodeJS.Signals;

/** A process that runs until it is stopped. */
export class Daemon {
  private ending: Ending | Error | undefined;
  private readonly ended: Promise<void>;
  private readonly child: ChildProcess;

  private constructor(private readonly spec: DaemonSpec) {
    const log = openSync(spec.logFile, 'a');
    const [command = '', ...args] = spec.argv;
    this.child = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...spec.env } });
    closeSync(log);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.ending = error;
        resolve();
      });
      this.child.once('exit', (code, signal) => {
        this.ending = code ?? signal ?? 0;
        resolve();
      });
    });
  }

  /** Starts it; whether it is ready is another question, for {@link Daemon.ready}. */
  static start(spec: DaemonSpec): Daemon {
    return new Daemon(spec);
  }

  get name(): string {
    return this.spec.name;
  }

  /** @throws Error when it could not be started */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be started: ${String(this.ending)}`);
    return this.child.pid;
  }

  get running(): boolean {
    return this.ending === undefined;
  }

  /** @throws Error when it ends, or when the probe gives no answer within the limit */
  async ready<T>(probe: () => T | undefined | Promise<T | undefined>, limitMs = 60_000): Promise<T> {
    const hopeless = (): string | undefined => (this.running ? undefined : `it has ended (${String(this.ending)})`);
    return await eventually(`${this.name} to be ready`, { limitMs, hopeless }, probe);
  }

  /** Ends it with SIGTERM, and with SIGKILL when that takes longer than `limitMs`; says how it ended. */
  async stop(limitMs = 10_000): Promise<Ending> {
    if (this.running) {
      this.child.kill('SIGTERM');
      const limit = setTimeout(() => this.child.kill('SIGKILL'), limitMs);
      await this.ended;
      clearTimeout(limit);
    }
    return await this.kill();
  }

  /** Ends it with SIGKILL, without a chance to tidy up. */
  async kill(): Promise<Ending> {
    if (this.running) this.child.kill('SIGKILL');
    await this.ended;
    if (this.ending instanceof Error) throw this.ending;
    return this.ending ?? 0;
  }

  /** Everything that it has written so far. */
  log(): string {
    return readFileSync(this.spec.logFile, 'utf8');
  }

  /** The end of what it has written, under a headline. */
  tail(lines = 30): string {
    const state = this.running ? `running, pid ${this.pid}` : `ended: ${String(this.ending)}`;
    return [`---- ${this.name} (${state})`, ...this.log().trimEnd().split('\n').slice(-lines)].join('\n');
  }
}
