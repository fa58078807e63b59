import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { endWithUs } from '../end-with-us';
import { freePort } from '../../test/support/free-port';
import { commandLine } from '../launcher';
import { cpuSecondsOf, memoryOf } from '../process-usage';
import { HttpConnection } from './http-connection';

const LAUNCHER = join(__dirname, '../../services/supernode/bin/supernode.js');

/** How long it may take to start, and to stop, in ms. */
const LIMIT = 20_000;

/** How often memory is looked at, in ms. */
const EVERY = 250;

/** How a supernode is started. */
export interface MeasuredSupernodeOptions {
  readonly home: string;
  /** The core that it is pinned to. */
  readonly core: number;
  /** Arguments of node before those of the supernode. */
  readonly nodeArguments?: readonly string[];
  /** The origin that may be fetched from. */
  readonly origin: string;
}

/** What a supernode took during a time. */
export interface Usage {
  readonly seconds: number;
  /** CPU seconds, user and system. */
  readonly cpu: number;
  /** Resident memory in MiB at each look, with the time of the look in seconds. */
  readonly memory: readonly { readonly at: number; readonly mib: number }[];
}

/** The supernode as it is shipped, in a process of its own on one core. */
export class MeasuredSupernode {
  private constructor(
    private readonly child: ChildProcess,
    readonly pid: number,
    readonly port: number,
  ) {}

  /** @throws Error when it does not serve within 20 s. */
  static async start({ home, core, nodeArguments = [], origin }: MeasuredSupernodeOptions): Promise<MeasuredSupernode> {
    const [api, pieces] = [await freePort(), await freePort()];
    const log = openSync(join(home, 'supernode.log'), 'a');
    const listen = ['--listen-ip', '127.0.0.1', '--port', `${api}`, '--download-port', `${pieces}`];
    const flags = [...listen, '--advertise-ip', '127.0.0.1', '--home-dir', home, '--allow-origin', origin];
    const child = spawn('taskset', ['-c', `${core}`, ...commandLine(LAUNCHER, nodeArguments), ...flags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    await once(child, 'spawn');
    endWithUs(child);
    const supernode = new MeasuredSupernode(child, child.pid ?? 0, api);
    const end = performance.now() + LIMIT;
    for (;;) {
      if (await supernode.serves()) return supernode;
      if (supernode.hasEnded || performance.now() > end) {
        child.kill('SIGKILL');
        throw new Error(`the supernode does not serve:\n${readFileSync(join(home, 'supernode.log'), 'utf8')}`);
      }
      await delay(50);
    }
  }

  /** The values of a metric by its labels, as text. */
  async metric(name: string): Promise<Map<string, number>> {
    const connection = new HttpConnection('127.0.0.1', this.port);
    try {
      const { body } = await connection.get('/metrics');
      const lines = body.split('\n').flatMap((line) => {
        const [, labels = '', value] = new RegExp(`^${name}(\\{[^}]*\\})? (\\S+)$`).exec(line) ?? [];
        return value === undefined ? [] : [[labels, Number(value)] as const];
      });
      return new Map(lines);
    } finally {
      connection.close();
    }
  }

  /** Watches what it takes until the returned function is called. */
  watch(): () => Usage {
    const began = performance.now();
    const cpu = cpuSecondsOf(this.pid);
    const memory = [{ at: 0, mib: memoryOf(this.pid) }];
    const look = (): void => {
      if (this.hasEnded) return;
      memory.push({ at: (performance.now() - began) / 1000, mib: memoryOf(this.pid) });
    };
    const looking = setInterval(look, EVERY);
    return () => {
      clearInterval(looking);
      look();
      return { seconds: (performance.now() - began) / 1000, cpu: cpuSecondsOf(this.pid) - cpu, memory };
    };
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (this.hasEnded) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT);
    await ended;
    clearTimeout(timer);
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private async serves(): Promise<boolean> {
    const connection = new HttpConnection('127.0.0.1', this.port);
    try {
      return (await connection.get('/readyz')).status === 200;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return false;
      throw error;
    } finally {
      connection.close();
    }
  }
}
