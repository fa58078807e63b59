import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../../test/support/free-port';

const LAUNCHER = join(__dirname, '../bin/dfdaemon.js');

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, path: string): Promise<{ status: number | undefined; body: Promise<Buffer> }> {
  const [response] = (await once(get({ port, path, agent: false }), 'response')) as [IncomingMessage];
  const read = async (): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return { status: response.statusCode, body: read() };
}

describe('a df-daemon that is told to stop', () => {
  it('is no longer ready, ends the pulls that are under way with their next requests, and exits with 0', async () => {
    const layers = [randomBytes(3_000_000), randomBytes(5000)].map((bytes) => ({
      bytes,
      path: `/v2/library/x/blobs/sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    }));
    const [large, small] = layers;
    if (large === undefined || small === undefined) throw new Error('there are two layers');
    const held: { response?: ServerResponse } = {};
    const registry = createServer((request, response) => {
      const layer = layers.find(({ path }) => path === request.url);
      response.setHeader('content-length', layer?.bytes.length ?? 0);
      if (layer !== large) response.end(layer?.bytes);
      else {
        response.write(large.bytes.subarray(0, 2_000_000));
        held.response = response;
      }
    });
    const home = mkdtempSync(join(tmpdir(), 'drain-'));
    const origin = `http://127.0.0.1:${await portOf(registry)}`;
    const [mirror, ops, peers] = [await freePort(), await freePort(), await freePort()];
    const flags = ['--registry', origin, '--data-dir', home, '--port', `${mirror}`, '--ops-listen', `127.0.0.1:${ops}`];
    const more = [
      '--peer-ip',
      '127.0.0.1',
      '--peer-port',
      `${peers}`,
      '--min-free',
      '0',
      '--blob-authorization',
      'none',
    ];
    const daemon = spawn(process.execPath, [LAUNCHER, ...flags, ...more], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const exit = once(daemon, 'exit');
      let log = '';
      daemon.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
      const logged = async (text: string): Promise<void> => {
        while (!log.includes(text)) {
          if (daemon.exitCode !== null) throw new Error(`it ended: ${log}`);
          await Promise.race([once(daemon.stderr, 'data'), exit]);
        }
      };
      await logged('"ready"');
      expect((await ask(ops, '/readyz')).status).toBe(200);
      const pull = await ask(mirror, large.path);
      daemon.kill('SIGTERM');
      await logged('"stopping"');
      expect((await ask(ops, '/readyz')).status).toBe(503);
      const next = await ask(mirror, small.path);
      expect((await next.body).equals(small.bytes)).toBe(true);
      held.response?.end(large.bytes.subarray(2_000_000));
      expect((await pull.body).equals(large.bytes)).toBe(true);
      expect(await exit).toEqual([0, null]);
      await expect(ask(mirror, small.path)).rejects.toThrow('ECONNREFUSED');
    } finally {
      daemon.kill('SIGKILL');
      registry.closeAllConnections();
      registry.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
