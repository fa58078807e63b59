import { once } from 'node:events';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import { endWithUs } from '../end-with-us';
import { freePort } from '../../test/support/free-port';
import { commandLine } from '../launcher';
import { MeasuredProcess } from './measured-process';

const SERVICES = join(__dirname, '../../services');

/** The registry with its blobs, a supernode and a df-daemon, on loopback. */
export interface World {
  readonly digests: readonly string[];
  readonly origin: { readonly port: number; stop(): void };
  readonly supernode: MeasuredProcess;
  readonly supernodeBlocks: number;
  readonly daemon: MeasuredProcess;
  readonly mirror: number;
  readonly peers: number;
  stop(): Promise<void>;
}

/** What the world is made of. */
export interface WorldOptions {
  /** A folder for stores and logs. */
  readonly home: string;
  /** Bytes of each blob. */
  readonly length: number;
  readonly blobs: number;
  /** Arguments of node for the process of that name. */
  readonly nodeArguments: (name: string) => readonly string[];
}

/** Starts all of it. @throws Error when something does not start. */
export async function startWorld({ home, length, blobs, nodeArguments }: WorldOptions): Promise<World> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const originPort = await freePort();
    const { child, digests } = await startOrigin(originPort, length, blobs);
    stops.push(() => void child.kill());
    const [api, supernodeBlocks] = [await freePort(), await freePort()];
    const supernode = await MeasuredProcess.start(
      [
        ...commandLine(join(SERVICES, 'supernode/bin/supernode.js'), nodeArguments('supernode')),
        ...['--listen-ip', '127.0.0.1', '--port', `${api}`, '--download-port', `${supernodeBlocks}`],
        ...['--advertise-ip', '127.0.0.1', '--home-dir', join(home, 'supernode'), '--min-free', '0'],
        ...['--allow-origin', `127.0.0.1:${originPort}`],
      ],
      { log: join(home, 'supernode.log'), port: api },
    );
    stops.push(() => supernode.stop());
    const [mirror, peers, ops] = [await freePort(), await freePort(), await freePort()];
    const daemon = await MeasuredProcess.start(
      [
        ...commandLine(join(SERVICES, 'dfdaemon/bin/dfdaemon.js'), nodeArguments('dfdaemon')),
        ...['--registry', `http://127.0.0.1:${originPort}`, '--node', `127.0.0.1:${api}`, '--port', `${mirror}`],
        ...['--peer-ip', '127.0.0.1', '--peer-port', `${peers}`, '--ops-listen', `127.0.0.1:${ops}`],
        ...['--advertise-ip', '127.0.0.1', '--data-dir', join(home, 'daemon'), '--min-free', '0'],
        ...['--blob-authorization', 'none'],
      ],
      { log: join(home, 'dfdaemon.log'), port: mirror },
    );
    stops.push(() => daemon.stop());
    const origin = { port: originPort, stop: () => void child.kill() };
    return { digests, origin, supernode, supernodeBlocks, daemon, mirror, peers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the registry of the bench; its digests are known when this resolves. */
async function startOrigin(
  port: number,
  length: number,
  blobs: number,
): Promise<{ readonly child: ChildProcess; readonly digests: readonly string[] }> {
  const program = ['-r', 'ts-node/register/transpile-only', join(__dirname, 'origin.ts')];
  const child = spawn(process.execPath, [...program, `${port}`, `${length}`, `${blobs}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the registry of the bench ended with ${String(code)}`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
  ended.catch(() => undefined);
  return { child, digests: line.split(' ') };
}
