import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NATIVE_VERSION, formatRegistryRequest } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { CountedOrigin } from './counted-origin';
import { SupernodeProcess } from './supernode-process';
import { freePort } from '../support/free-port';

/** More than Node.js has the kernel keep for a process that takes none; by default the kernel would keep 4096. */
const CLIENTS = 600;

/** For so long, in ms, clients wait for a supernode that does not answer. */
const PATIENCE = 500;

describe('a supernode that is stopped while daemons register, and goes on', () => {
  let home: string;
  let origin: CountedOrigin;
  let supernode: SupernodeProcess | undefined;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'gone-clients-'));
    origin = await CountedOrigin.start();
  });
  afterEach(async () => {
    await supernode?.stop();
    await origin.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('takes all connections, does nothing for those that are closed, and what is asked of it now', async () => {
    const [api, blocks] = [await freePort(), await freePort()];
    supernode = await SupernodeProcess.start(home, { api, blocks, origin: origin.port });
    const given = origin.add(randomBytes(1024));
    const wanted = origin.add(randomBytes(1024));
    await register(api, wanted, 0);

    supernode.signal('SIGSTOP');
    const stoppedAt = performance.now();
    const sockets = await Promise.all(
      Array.from({ length: CLIENTS }, async (_, number) => {
        const socket = connect({ host: '127.0.0.1', port: api });
        await once(socket, 'connect', { signal: AbortSignal.timeout(5000) });
        await new Promise((resolve) => socket.write(requestText(given, number + 1), resolve));
        return socket;
      }),
    );
    while (performance.now() - stoppedAt < PATIENCE) await new Promise((resolve) => setTimeout(resolve, 20));
    for (const socket of sockets) socket.destroy();
    supernode.signal('SIGCONT');

    expect(await register(api, wanted, CLIENTS + 1)).toContain('"code":200');
    const metrics = await (await fetch(`http://127.0.0.1:${api}/metrics`)).text();
    expect(metrics).toContain('\ndragonfly_supernode_dfgettasks_registered_total{protocol="native"} 2\n');
    expect(metrics).toContain(`\ndragonfly_supernode_requests_abandoned_total ${CLIENTS}\n`);
    expect(origin.requests.map(({ path }) => path)).not.toContain(given.url.pathname);
  });
});

interface Blob {
  readonly blob: BlobId;
  readonly url: URL;
}

function requestText({ blob, url }: Blob, number: number): string {
  const body = formatRegistryRequest({
    rawUrl: url.href,
    taskUrl: url.href,
    cid: `10.1.${number >> 8}.${number & 255}-1-df-daemon`,
    ip: `10.1.${number >> 8}.${number & 255}`,
    port: 15_001,
    path: '/peer/file/none',
    headers: [],
    dfdaemon: true,
    native: { versions: [NATIVE_VERSION], blob },
  });
  const head = ['POST /peer/registry HTTP/1.1', 'Host: x', `Content-Length: ${Buffer.byteLength(body)}`];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

/** What a daemon that waits is answered. */
async function register(port: number, blob: Blob, number: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write(requestText(blob, number));
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })) as [Buffer];
  socket.destroy();
  return answer.toString();
}
