import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';

/** An answer to a client of a proxy. */
export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Has the proxy lead to `target`. @returns the connection, or what it answers instead, in its words. */
export async function throughProxy(port: number, target: string): Promise<Socket | string> {
  const asked = request({ host: '127.0.0.1', port, method: 'CONNECT', path: target });
  asked.end();
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket];
  if (answer.statusCode === 200) return socket;
  socket.destroy();
  return `${answer.statusCode ?? 0} ${answer.statusMessage ?? ''}`;
}

/** A request by https through the proxy, as a runtime with HTTPS_PROXY sends it. */
export async function askSecurely(
  port: number,
  target: string,
  path: string,
  options: {
    readonly ca: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  },
): Promise<ProxiedAnswer> {
  const tunnel = await throughProxy(port, target);
  if (typeof tunnel === 'string') throw new Error(tunnel);
  const { ca, method = 'GET', headers = {}, body } = options;
  const socket = connect({ socket: tunnel, ca, servername: 'localhost', checkServerIdentity: () => undefined });
  try {
    await once(socket, 'secureConnect');
    const asked = secureRequest({ createConnection: () => socket, host: 'localhost', path, method, headers });
    asked.end(body);
    return await answerTo(asked);
  } finally {
    tunnel.destroy();
  }
}

/** A request by http through the proxy. */
export async function askPlainly(
  port: number,
  url: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<ProxiedAnswer> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path: url,
    method,
    headers: { host: new URL(url).host, ...headers },
    agent: false,
  });
  asked.end(body);
  return answerTo(asked);
}

async function answerTo(asked: ReturnType<typeof request>): Promise<ProxiedAnswer> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}
