import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';

import { Relay } from '@cdk8s-dragonfly/origin';

import { selfSigned } from '../../../origin/test/certificate';
import { parseUpstreams } from '../../src/mirror/upstreams';
import { reach } from '../../src/ops/reach';

describe('what a daemon reaches', () => {
  const servers: Server[] = [];
  const relay = new Relay({ firstByteTimeout: 5000, stallTimeout: 5000 });
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => relay.stop());

  async function portOf(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function reached(port: number, patience = 30_000, scheme = 'http'): Promise<object> {
    const { supernodes, registries } = await reach({
      supernodes: [{ host: '127.0.0.1', port }],
      upstreams: parseUpstreams([`${scheme}://127.0.0.1:${port}`]),
      registry: relay,
      own: { isFor: () => false, send: () => Promise.reject(new Error('not asked')) },
      version: '1',
      patience,
    });
    return { supernode: supernodes[0], registry: registries[0] };
  }

  it('is somebody who takes connections and says nothing', async () => {
    const hangs = createServer(() => undefined);
    expect(await reached(await portOf(hangs), 300)).toMatchObject({
      supernode: { why: 'it takes connections, and nothing came for 250 ms', fault: 'silent' },
      registry: { why: 'nothing came for 300 ms', fault: 'silent' },
    });
    hangs.closeAllConnections();
  });

  it('is a port where nobody listens', async () => {
    const port = await portOf(createServer());
    servers.pop()?.close();
    expect(await reached(port)).toMatchObject({
      supernode: { why: expect.stringContaining('ECONNREFUSED') as string, fault: 'refused' },
      registry: { why: expect.stringContaining('the connection was refused') as string, fault: 'refused' },
    });
  });

  it('is a registry whose certificate is not trusted', async () => {
    const port = await portOf(createTlsServer(selfSigned(['127.0.0.1']), (_, response) => response.end()));
    expect(await reached(port, 30_000, 'https')).toMatchObject({
      registry: { why: expect.stringContaining('its certificate is of no authority') as string, fault: 'certificate' },
    });
  });
});
