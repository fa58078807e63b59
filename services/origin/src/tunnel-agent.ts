import { request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import type { AgentOptions, RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';

import { failureOf } from './failure';
import { hostAndPort } from './host-port';
import { OriginError } from './origin-error';
import { adviceOnStatus, proxyAuthorization } from './proxies';
import type { Trust } from './trust';

/** How a proxy is connected to. */
export interface WayToProxy {
  /** How long it may take until the proxy has led on, in milliseconds. */
  readonly connectTimeout: number;
  /** Certificates, where it is an https proxy. Default: what Node trusts. */
  readonly trust?: Trust | undefined;
}

type Created = (error: Error | null, socket: Duplex) => void;

/** TLS connections to origins through a proxy (RFC 9110, 9.3.6: CONNECT), which sees the host and nothing else. */
export class TunnelAgent extends Agent {
  constructor(
    private readonly proxy: URL,
    private readonly way: WayToProxy,
    options: AgentOptions,
  ) {
    super(options);
  }

  /** Called by Node for each new connection. */
  override createConnection(target: RequestOptions, callback?: Created): undefined {
    const host = target.host ?? '';
    const address = `${host.includes(':') ? `[${host}]` : host}:${target.port ?? 443}`;
    throughProxy(this.proxy, address, this.way).then(
      (socket) => {
        // What Node's own agent does, on a connection that is there already.
        const onTunnel: RequestOptions & { readonly socket: Duplex } = { ...target, socket };
        const secure = super.createConnection(onTunnel);
        callback?.(null, secure ?? socket);
      },
      // Node looks at the error alone.
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
    return undefined;
  }
}

/**
 * Has a proxy lead to `address` (`HOST:PORT`).
 *
 * @throws OriginError `unreachable`.
 */
export function throughProxy(proxy: URL, address: string, { connectTimeout, trust }: WayToProxy): Promise<Duplex> {
  const secureContext = proxy.protocol === 'https:' ? trust?.contextFor(proxy) : undefined;
  const authorization = proxyAuthorization(proxy);
  const where = hostAndPort(proxy);
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const connect = (proxy.protocol === 'https:' ? secureRequest : plainRequest)({
      method: 'CONNECT',
      host,
      // Node would take the Host field, which is of the origin. An address is no such name.
      servername: isIP(host) === 0 ? host : '',
      port: proxy.port === '' ? (proxy.protocol === 'https:' ? 443 : 80) : Number(proxy.port),
      path: address,
      agent: false,
      ...(secureContext === undefined ? {} : { secureContext }),
      headers: {
        Host: address,
        ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }),
      },
    });
    const fail = (why: string): void => {
      connect.destroy();
      reject(unreachable(address, `the proxy ${where} ${why}`));
    };
    const timer = setTimeout(() => fail(`led nowhere within ${connectTimeout} ms`), connectTimeout);
    connect
      .once('connect', ({ statusCode = 0 }: IncomingMessage, socket: Duplex, head: Buffer) => {
        clearTimeout(timer);
        if (statusCode < 200 || statusCode > 299) {
          socket.destroy();
          fail(`answered with status ${statusCode}${adviceOnStatus(statusCode)}`);
          return;
        }
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      })
      .once('response', ({ statusCode = 0 }: IncomingMessage) => {
        clearTimeout(timer);
        fail(`answered with status ${statusCode}${adviceOnStatus(statusCode)}`);
      })
      .on('error', (error) => {
        clearTimeout(timer);
        reject(unreachable(address, failureOf(error, where, 'head').message.replace(/^Origin/, 'the proxy'), error));
      })
      .end();
  });
}
function unreachable(address: string, why: string, cause?: Error): OriginError {
  const text = `Origin ${address} cannot be reached: ${why.replace(/\.$/, '')}.`;
  return new OriginError('unreachable', text, { retryable: true, cause });
}
