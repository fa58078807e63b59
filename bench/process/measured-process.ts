import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { endWithUs } from '../end-with-us';
import { cpuSecondsOf, forgetPeakOf, memoryOf } from '../process-usage';

/** How long it may take to start, and to stop, in ms. */
const LIMIT = 20_000;

/** What a process took during some work. */
export interface Cost {
  readonly seconds: number;
  /** CPU seconds, user and system. */
  readonly cpu: number;
  /** The most resident memory, in MiB. */
  readonly peak: number;
}

/** A process whose CPU and memory are watched. */
export class MeasuredProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
  ) {}

  /**
   * @param port of 127.0.0.1 on which it serves when it is up.
   * @throws Error with what it wrote when it does not serve within 20 s.
   */
  static async start(
    command: readonly [string, ...string[]],
    { log, port }: { readonly log: string; readonly port: number },
  ): Promise<MeasuredProcess> {
    const output = openSync(log, 'a');
    const [file, ...flags] = command;
    const child = spawn(file, flags, { stdio: ['ignore', output, output] });
    closeSync(output);
    await once(child, 'spawn');
    endWithUs(child);
    const started = new MeasuredProcess(child, child.pid ?? 0);
    const end = performance.now() + LIMIT;
    while (!(await accepts(port))) {
      if (started.hasEnded || performance.now() > end) {
        child.kill('SIGKILL');
        throw new Error(`${file} ${flags.join(' ')} does not serve:\n${readFileSync(log, 'utf8').slice(-2000)}`);
      }
      await delay(50);
    }
    return started;
  }

  /** Resident memory in MiB. */
  get memory(): number {
    return memoryOf(this.pid);
  }

  /** Begins to measure; the returned function ends it. */
  measure(): () => Cost {
    forgetPeakOf(this.pid);
    const began = performance.now();
    const cpu = cpuSecondsOf(this.pid);
    return () => ({
      seconds: (performance.now() - began) / 1000,
      cpu: cpuSecondsOf(this.pid) - cpu,
      peak: memoryOf(this.pid, 'peak'),
    });
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), LIMIT);
    await ended;
    clearTimeout(timer);
  }

  /** Whether it has not ended. */
  get runs(): boolean {
    return !this.hasEnded;
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
