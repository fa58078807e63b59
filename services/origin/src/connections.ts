import { setMaxListeners } from 'node:events';
import type { ClientRequest } from 'node:http';
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import type { HeaderLine } from './header-lines';
import { OriginError } from './origin-error';

/** What connections to origins need. */
export interface ConnectionOptions {
  /** How long a connection, name resolution and TLS included, may take to open, in milliseconds. */
  readonly connectTimeout: number;
  /** Certificates of authorities (PEM) to trust beside those that Node trusts. Default none. */
  readonly ca?: readonly string[] | undefined;
  /** Who turns the name of a URL's host into addresses. Default the operating system. */
  readonly lookupFor?: ((url: URL) => LookupFunction) | undefined;
}

/** How long a connection without a request is kept, in milliseconds. A server's `Keep-Alive: timeout` shortens it. */
const KEPT = 4000;

/**
 * Connections to origins, kept for a while after each request. They are Node's own: those of undici 7 open a new connection after every
 * body that is given up, and close one after every HEAD.
 */
export class Connections {
  readonly connectTimeout: number;
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;
  readonly #lookupFor: ((url: URL) => LookupFunction) | undefined;
  readonly #stopped = new AbortController();

  constructor(options: ConnectionOptions) {
    this.connectTimeout = options.connectTimeout;
    this.#lookupFor = options.lookupFor;
    const kept = { keepAlive: true, timeout: KEPT };
    const ca = options.ca ?? [];
    // One listener for every request under way.
    setMaxListeners(0, this.#stopped.signal);
    this.#plain = new PlainAgent(kept);
    this.#secure = new SecureAgent(ca.length === 0 ? kept : { ...kept, ca: [...rootCertificates, ...ca] });
  }

  /** Aborts with an OriginError when the connections were closed for good. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * Begins a request without a body; the caller ends it.
   *
   * @throws TypeError of Node when a header or the path has a character that HTTP does not allow.
   */
  request(method: 'GET' | 'HEAD', origin: URL, path: string, lines: readonly HeaderLine[]): ClientRequest {
    const secure = origin.protocol === 'https:';
    const lookup = this.#lookupFor?.(origin);
    const headers = [['Host', origin.host], ...lines, ['Connection', 'keep-alive']].flat();
    const send = secure ? secureRequest : plainRequest;
    return send({
      method,
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port === '' ? (secure ? 443 : 80) : Number(origin.port),
      path,
      headers,
      agent: secure ? this.#secure : this.#plain,
      ...(lookup === undefined ? {} : { lookup }),
    });
  }

  /** Closes all connections, also those in use, for good; resolves when they are closed. */
  async stop(): Promise<void> {
    const agents = [this.#plain, this.#secure];
    const open = agents.flatMap(({ sockets, freeSockets }) =>
      [...Object.values(sockets), ...Object.values(freeSockets)].flatMap((list) => list ?? []),
    );
    const closed = open
      .filter((socket) => !socket.closed)
      .map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    this.#stopped.abort(new OriginError('unreachable', 'No origin is asked any more: this client was stopped.'));
    for (const agent of agents) {
      agent.destroy();
    }
    await Promise.all(closed);
  }
}
