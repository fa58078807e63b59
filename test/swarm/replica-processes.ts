import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ownerOf } from '../../services/supernode/src/replicas/rendezvous';
import { freePort } from '../support/free-port';

const MAIN = join(__dirname, '..', '..', 'services', 'supernode', 'src', 'main.ts');
const FROM_SOURCE = join(__dirname, '..', 'support', 'from-source.js');

/** Replicas of the supernode, each a process that can be killed. */
export class ReplicaProcesses {
  private constructor(private readonly processes: ReadonlyMap<number, ChildProcess>) {}

  /** Resolves when each has seen all others. @param home a folder for all of them. */
  static async start(count: number, home: string, originPort: number): Promise<ReplicaProcesses> {
    const ports = await Promise.all(Array.from({ length: count }, freePort));
    const signingKey = join(home, 'signing-key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const processes = new Map<number, ChildProcess>();
    for (const port of ports) {
      const flags = {
        port,
        'download-port': await freePort(),
        'listen-ip': '127.0.0.1',
        'advertise-ip': '127.0.0.1',
        'home-dir': join(home, `supernode-${port}`),
        'min-free': '0',
        'allow-origin': `127.0.0.1:${originPort}`,
        'signing-key': signingKey,
        peers: ports.map((peer) => `127.0.0.1:${peer}`).join(','),
      };
      const given = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      const run = `require(${JSON.stringify(MAIN)}).main(process.argv.slice(1), process.env)`;
      const args = ['-r', FROM_SOURCE, '-e', run, '--', ...given];
      processes.set(port, spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
    }
    await Promise.all([...processes.values()].map((child) => seesOthers(child, count - 1)));
    return new ReplicaProcesses(processes);
  }

  get ports(): number[] {
    return [...this.processes.keys()];
  }

  /** The port of the replica that owns a blob. */
  ownerOf(blob: string): number {
    const owner = ownerOf(
      blob,
      this.ports.map((port) => ({ name: `127.0.0.1:${port}`, port })),
    );
    return owner?.port ?? 0;
  }

  /** As kill -9. */
  async kill(port: number): Promise<void> {
    const child = this.processes.get(port);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    await Promise.all(this.ports.map((port) => this.kill(port)));
  }
}

/** Reads the log of a supernode until so many others answered it. */
async function seesOthers(child: ChildProcess, others: number): Promise<void> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.includes('"serving"') && text.split('a replica answers').length > others) resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`a supernode ended: ${text}`)));
  });
}
