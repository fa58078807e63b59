import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate';

/** A real HTTP server on 127.0.0.1 that keeps what it was asked. */
export interface OriginServer {
  readonly url: URL;
  readonly host: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  /** Connections that are open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** Connections that were ever opened. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** Starts a server; the answers are the handler's. With a certificate it speaks TLS. */
export async function serve(handler: RequestListener, certificate?: Certificate): Promise<OriginServer> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    handler(request, response);
  };
  const server = certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return {
    url: new URL(`${certificate === undefined ? 'http' : 'https'}://${host}/`),
    host,
    port,
    requests,
    sockets,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A listener that serves `content` whole or by Range, with an entity tag. */
export function file(content: Buffer, etag = '"one"'): RequestListener {
  return (request, response) => sendFile(request, response, content, etag);
}

/** Answers a request for `content`, honouring `Range: bytes=N-` and `bytes=N-M` and `If-Range`. */
export function sendFile(request: IncomingMessage, response: ServerResponse, content: Buffer, etag = '"one"'): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const condition = request.headers['if-range'];
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', 'application/octet-stream');
  if (range === null || (condition !== undefined && condition !== etag)) {
    response.writeHead(200, { 'Content-Length': content.length }).end(content);
    return;
  }
  const from = Number(range[1]);
  const last = range[2] === '' ? content.length - 1 : Math.min(Number(range[2]), content.length - 1);
  if (from > last) {
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
    return;
  }
  response
    .writeHead(206, {
      'Content-Range': `bytes ${from}-${last}/${content.length}`,
      'Content-Length': last + 1 - from,
    })
    .end(content.subarray(from, last + 1));
}

/** Bytes that differ at every place, so that a wrong offset shows. */
export function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) {
    bytes.writeUInt32BE(at, at);
  }
  return bytes;
}

/** All bytes of a body. */
export async function all(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Resolves when `holds` does, asked again at every turn of the event loop; rejects after two seconds. */
export async function expectEventually(holds: () => boolean): Promise<void> {
  const limit = Date.now() + 2000;
  while (!holds()) {
    if (Date.now() > limit) {
      throw new Error(`did not come true within 2 s: ${holds.toString()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
