import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';

import { whenOver } from '../src/node/when-over';

/** More than the buffers of a connection take. */
const BODY = Buffer.alloc(32 * 1024 * 1024);

describe('what a client took of an answer', () => {
  test.each([
    ['is all of it when it has read it', false],
    ['is nothing when it went away in the middle', true],
  ])('%s', async (_, leaves) => {
    const over = new Promise<number>((resolve) => {
      server.on('request', (request, response) => {
        whenOver(request, response, resolve);
        response.writeHead(200, { 'content-length': BODY.length }).end(BODY);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
    await once(socket, 'data');
    if (leaves) socket.destroy();
    const took = await over;
    expect(took > BODY.length).toBe(!leaves);
    expect(took === 0).toBe(leaves);
    socket.destroy();
  });

  let server = createServer();
  beforeEach(() => (server = createServer()));
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
});
