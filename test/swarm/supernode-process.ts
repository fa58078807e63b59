import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LAUNCHER = join(__dirname, '../../services/supernode/bin/supernode.js');

/** A supernode in a process of its own, which can be killed and stopped as on a real machine. */
export class SupernodeProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  static async start(home: string, ports: { api: number; blocks: number; origin: number }): Promise<SupernodeProcess> {
    const flags = ['--home-dir', home, '--listen-ip', '127.0.0.1', '--advertise-ip', '127.0.0.1', '--min-free', '0'];
    const where = [
      '--port',
      `${ports.api}`,
      '--download-port',
      `${ports.blocks}`,
      '--allow-origin',
      `127.0.0.1:${ports.origin}`,
    ];
    const child = spawn(process.execPath, [LAUNCHER, ...flags, ...where], { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      if (line.includes('"serving"')) {
        child.stderr.resume();
        return new SupernodeProcess(child, ports.api);
      }
    }
    throw new Error(`the supernode did not start: ${said.join('\n')}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
