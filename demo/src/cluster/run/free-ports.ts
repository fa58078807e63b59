import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';

/**
 * Ports of this machine that are free now, each one once. All are held at the same time while they are looked for.
 *
 * @param host the address they are to be free on
 */
export async function freePorts(count: number, host: string): Promise<readonly number[]> {
  const servers: Server[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const server = createServer();
      servers.push(server);
      server.listen(0, host);
      await once(server, 'listening');
    }
    return servers.map((server) => (server.address() as AddressInfo).port);
  } finally {
    await Promise.all(
      servers
        .filter((server) => server.listening)
        .map(async (server) => {
          const closed = once(server, 'close');
          server.close();
          await closed;
        }),
    );
  }
}
