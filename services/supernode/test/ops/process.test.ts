import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { freePort } from '../../../../test/support/free-port';
import { closed, listening, whole } from '../classic/fixture';
import { OriginalClient } from '../classic/original-client';
import { GO } from '../classic/original-style';
import { RawSocket } from './raw-socket';

const LIMIT = 30_000;
const CONTENT = randomBytes(16 * 1024 * 1024);

let folder: string;
let child: ChildProcessByStdio<null, null, Readable>;
let log: string;
let origin: { readonly server: Server; readonly port: number };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supernode-process-'));
  log = '';
  origin = await listening((request, response) => whole(CONTENT)(request, response));
});

afterEach(async () => {
  if (child.exitCode === null) child.kill('SIGKILL');
  await closed(origin.server);
  await rm(folder, { recursive: true, force: true });
});

/** Runs `supernode` with this supernode.yml. */
async function run(file: string, ...flags: readonly string[]): Promise<void> {
  const config = join(folder, 'supernode.yml');
  await writeFile(config, file);
  const script = join(__dirname, '..', '..', 'bin', 'supernode.js');
  const argv = [script, '--config', config, '--listen-ip', '127.0.0.1'];
  child = spawn(process.execPath, [...argv, '--min-free', '1KiB', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: LIMIT,
    killSignal: 'SIGKILL',
  });
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
}

async function serving(): Promise<void> {
  while (!log.includes('"serving"') && child.exitCode === null) {
    const signal = AbortSignal.timeout(LIMIT);
    await Promise.race([once(child.stderr, 'data', { signal }), once(child, 'close', { signal })]);
  }
}

async function exitCode(): Promise<unknown> {
  if (child.exitCode === null) await once(child, 'close', { signal: AbortSignal.timeout(LIMIT) });
  return child.exitCode;
}

/** The task id of a URL, for a client that registers. */
async function registered(api: number, rawUrl: string): Promise<string> {
  const path = '/peer/file/x';
  const fields = { rawUrl, taskUrl: rawUrl, cid: 'another', ip: '127.0.0.2', port: 0, path, hostName: 'node' };
  const url = `http://127.0.0.1:${api}/peer/registry`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(fields) });
  const { data } = (await answer.json()) as { readonly data: { readonly taskId: string } };
  return data.taskId;
}

test(
  'serves as supernode.yml says, and on SIGTERM gives what it is giving and ends with 0',
  async () => {
    const [api, pieces] = [await freePort(), await freePort()];
    await run(
      `base:\n  listenPort: ${api}\n  downloadPort: ${pieces}\n  homeDir: ${folder}/home\n  advertiseIP: 127.0.0.1\n` +
        '  peerUpLimit: 5\nstorages: [local]\n',
      `--allow-origin=127.0.0.1:${origin.port}`,
    );
    await serving();
    expect(log).toContain('accepted, but without effect');
    expect((await fetch(`http://127.0.0.1:${api}/readyz`)).status).toBe(200);
    const url = `http://127.0.0.1:${origin.port}/f`;
    await new OriginalClient({ style: GO, url, cid: '127.0.0.2-1-1.0', api }).download();
    const metrics = await (await fetch(`http://127.0.0.1:${api}/metrics`)).text();
    expect(metrics).toContain(`dragonfly_supernode_origin_bytes_total ${CONTENT.length}\n`);

    const taking = await RawSocket.open(pieces);
    const taskId = await registered(api, url);
    taking.get(`/download/${taskId.slice(0, 3)}/${taskId}`);
    await taking.hasReceived(1000);
    taking.socket.pause();
    const session = await RawSocket.open(api);
    session.get('/native/v3/session?cid=daemon&ip=127.0.0.1&port=15001');
    await session.hasReceived(200);
    child.kill('SIGTERM');
    expect(await session.closed()).toBeLessThan(1000);
    expect(child.exitCode).toBeNull();
    taking.socket.resume();
    await taking.closed();
    expect(taking.text.length - taking.text.indexOf('\r\n\r\n') - 4).toBe(CONTENT.length + 5 * 5);
    expect(await exitCode()).toBe(0);
  },
  LIMIT,
);

test(
  'ends with 2 and one line when supernode.yml has a key that nobody knows',
  async () => {
    await run('base:\n  listenPorts: 1\n');
    expect(await exitCode()).toBe(2);
    expect(log).toBe(
      `supernode: unknown key base.listenPorts in ${folder}/supernode.yml; did you mean base.listenPort?\n`,
    );
  },
  LIMIT,
);
