import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { KEY, PretendedApi } from './support/pretended-api';
import { scratchFolder } from './support/scratch';

const COMMAND = resolve(__dirname, '../bin/node-mirror.js');
const LIMIT_MS = 30_000;
const FIRST = '{\n  "debug": true\n}\n';

/** Does at its API and at SIGHUP what dockerd does, and says so, with whether the file of `watch` is there at that moment. */
const DOCKERD = `
const { existsSync, readFileSync, writeFileSync } = require('fs');
const [, config, socket, pidFile, onFile] = process.argv;
let mirrors = [];
require('http').createServer((_, response) => response.end(JSON.stringify(
  { ServerVersion: '20.10.24', RegistryConfig: { Mirrors: mirrors } }))).listen(socket, () => {
  writeFileSync(pidFile, String(process.pid));
  console.log('dockerd up');
});
process.on('SIGHUP', () => {
  const list = JSON.parse(readFileSync(config, 'utf8'))['registry-mirrors'];
  if (list !== undefined) mirrors = list;
  console.log('dockerd ' + JSON.stringify(mirrors) + (existsSync(onFile) ? ' with file' : ' without file'));
});
`;

/** What happens on the node, in order; waited for with a limit. */
class Happenings {
  readonly all: string[] = [];
  private wake: () => void = () => undefined;

  add(what: string): void {
    this.all.push(what);
    this.wake();
  }

  /** Waits until this has happened so many times. */
  async until(what: string, times = 1): Promise<void> {
    const limit = AbortSignal.timeout(LIMIT_MS);
    while (this.all.filter((one) => one === what).length < times) {
      await new Promise<void>((resolve, reject) => {
        this.wake = resolve;
        limit.onabort = () => reject(new Error(`no "${what}" among ${JSON.stringify(this.all)}`));
      });
    }
  }
}

describe('node-mirror watch, as in a pod', () => {
  const folder = scratchFolder('watch-');
  const path = (name: string): string => join(folder, name);
  const happenings = new Happenings();
  const api = new PretendedApi();
  const children: ChildProcess[] = [];
  let daemon: Server;
  let ready = false;

  const start = (command: readonly string[], argv0 = process.execPath, env: NodeJS.ProcessEnv = {}): ChildProcess => {
    const child = spawn(process.execPath, command, {
      argv0,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    children.push(child);
    createInterface({ input: child.stdout }).on('line', (line) => happenings.add(line));
    return child;
  };

  beforeAll(async () => {
    await api.start();
    api.onPatch = () => happenings.add('taint gone');
    daemon = createServer((request, response) => {
      const status = request.url === '/readyz' && !ready ? 503 : 200;
      response.writeHead(status).end();
      happenings.add(`asked ${request.url} ${status}`);
    }).listen(0, '127.0.0.1');
    await once(daemon, 'listening');
    writeFileSync(path('daemon.json'), FIRST);
    const places = [path('daemon.json'), path('docker.sock'), path('docker.pid'), path('on')];
    start(['-e', DOCKERD, '--', ...places, '--config-file', path('daemon.json')], 'dockerd');
    await happenings.until('dockerd up');
  });

  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    daemon.close();
    daemon.closeAllConnections();
    api.stop();
    rmSync(folder, { recursive: true });
  });

  test('configures when its daemon is ready, comes back to what others undo, and takes the mirror off before it ends', async () => {
    const mirror = `http://127.0.0.1:${(daemon.address() as AddressInfo).port}`;
    const taken = `dockerd ["${mirror}"] with file`;
    const watch = start(
      [
        ...[COMMAND, 'watch', '--runtime', 'docker', '--mirror', mirror, '--readyz', `${mirror}/readyz`],
        ...['--docker-config', path('daemon.json'), '--docker-socket', path('docker.sock')],
        ...['--docker-pid-file', path('docker.pid'), '--on-file', path('on'), '--interval', '1s'],
        ...['--remove-taint', KEY, '--service-account', api.folder, '--log-level', 'error'],
      ],
      process.execPath,
      { NODE_NAME: 'n1', KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: api.port },
    );

    await happenings.until('asked /readyz 503', 2);
    expect(readFileSync(path('daemon.json'), 'utf8')).toBe(FIRST);
    expect(readFileSync(path('on'), 'utf8').split(' ')[2]).toBe(String(watch.pid));
    expect(api.seen).toEqual([]);

    ready = true;
    await happenings.until('taint gone');
    const order = ['asked /readyz 200', 'asked /v2/ 200', taken, 'taint gone'].map((one) =>
      happenings.all.indexOf(one),
    );
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(api.taints).toEqual([{ key: 'a', effect: 'NoSchedule' }]);

    writeFileSync(path('daemon.json'), FIRST);
    await happenings.until(taken, 2);

    const ended = once(watch, 'exit');
    watch.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    await happenings.until('dockerd [] with file');
    expect(readFileSync(path('daemon.json'), 'utf8')).toBe(FIRST);
    expect(existsSync(path('on'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['daemon.json', 'docker.pid', 'docker.sock']);
  });

  test('that is told to stop while it waits for its daemon has changed nothing', async () => {
    ready = false;
    const before = happenings.all.length;
    const watch = start([
      ...[COMMAND, 'watch', '--runtime', 'docker', '--mirror', 'http://127.0.0.1:1', '--readyz', 'none'],
      ...['--docker-config', path('daemon.json'), '--docker-socket', path('docker.sock')],
      ...['--docker-pid-file', path('docker.pid'), '--on-file', path('on'), '--output', 'json', '--log-level', 'error'],
    ]);
    await waitForFile(path('on'));
    const ended = once(watch, 'exit');
    watch.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(readFileSync(path('daemon.json'), 'utf8')).toBe(FIRST);
    expect(existsSync(path('on'))).toBe(false);
    expect(happenings.all.slice(before).filter((line) => line.startsWith('dockerd'))).toEqual([]);
  });
});

/** Waits for a file by looking again at each turn of the event loop. */
async function waitForFile(path: string): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!existsSync(path)) {
    if (performance.now() > deadline) throw new Error(`no ${path}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
