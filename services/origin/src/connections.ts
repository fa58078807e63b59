import { setMaxListeners } from 'node:events';
import type { ClientRequest } from 'node:http';
import type { Agent } from 'node:http';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { TappedPlainAgent, TappedSecureAgent } from './body-tap';
import type { HeaderLine } from './header-lines';
import { OriginError } from './origin-error';
import type { Proxies } from './proxies';
import { proxyAuthorization } from './proxies';
import type { Trust } from './trust';
import { TunnelAgent } from './tunnel-agent';

/** How origins are reached beyond what their URLs say. */
export interface Outward {
  /** Certificates. Default: what Node trusts, and none of our own. */
  readonly trust?: Trust | undefined;
  /** Default: no origin is asked through a proxy. */
  readonly proxies?: Proxies | undefined;
}

/** What connections to origins need. */
export interface ConnectionOptions extends Outward {
  /** How long a connection, name resolution and TLS included, may take to open, in milliseconds. */
  readonly connectTimeout: number;
  /**
   * Who turns the name of an origin into addresses. Default the operating system, as for the name of a proxy. A proxy does it itself for what
   * it is asked.
   */
  readonly lookupFor?: ((url: URL) => LookupFunction) | undefined;
}

/** How long a connection without a request is kept, in milliseconds. A server's `Keep-Alive: timeout` shortens it. */
const KEPT = 4000;

/**
 * The proxy that leads to the origin by a tunnel, or whether the connection is to a proxy itself; undefined: there is none. Where a proxy is was
 * configured, not taken from a URL: its address is not judged as an origin's is, and no origin is asked over a connection that was made to one.
 */
type ProxyUse = URL | 'itself' | undefined;

interface KeptAgent {
  readonly context: SecureContext | undefined;
  readonly agent: Agent;
}

/**
 * Connections to origins, kept for a while after each request. They are Node's own: those of undici 7 open a new connection after every
 * body that is given up, and close one after every HEAD.
 */
export class Connections {
  readonly connectTimeout: number;
  readonly #options: ConnectionOptions;
  /** One for each way out: certificates are those of a whole agent. */
  readonly #agents = new Map<string, KeptAgent>();
  /** Those whose certificates have changed: they have connections under way. */
  readonly #former = new Set<Agent>();
  readonly #stopped = new AbortController();

  constructor(options: ConnectionOptions) {
    this.connectTimeout = options.connectTimeout;
    this.#options = options;
    // One listener for every request under way.
    setMaxListeners(0, this.#stopped.signal);
  }

  /** Aborts with an OriginError when the connections were closed for good. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * Begins a request; the caller sends its body, if it has one, and ends it.
   *
   * @throws TypeError of Node when a header or the path has a character that HTTP does not allow.
   */
  request(method: string, origin: URL, path: string, lines: readonly HeaderLine[]): ClientRequest {
    const proxy = this.#options.proxies?.for(origin);
    const head: HeaderLine[] = [['Host', origin.host], ...lines, ['Connection', 'keep-alive']];
    if (origin.protocol === 'http:' && proxy !== undefined) {
      const authorization = proxyAuthorization(proxy);
      if (authorization !== undefined) head.push(['Proxy-Authorization', authorization]);
      return this.#send(method, proxy, `http://${origin.host}${path}`, head, 'itself');
    }
    return this.#send(method, origin, path, head, proxy);
  }

  #send(method: string, to: URL, path: string, head: readonly HeaderLine[], proxy: ProxyUse): ClientRequest {
    const secure = to.protocol === 'https:';
    const lookup = proxy === undefined ? this.#options.lookupFor?.(to) : undefined;
    return (secure ? secureRequest : plainRequest)({
      method,
      host: to.hostname.replace(/^\[|\]$/g, ''),
      port: to.port === '' ? (secure ? 443 : 80) : Number(to.port),
      path,
      headers: head.flat(),
      agent: this.#agentFor(to, proxy),
      ...(lookup === undefined ? {} : { lookup }),
    });
  }

  #agentFor(to: URL, proxy: ProxyUse): Agent {
    const secure = to.protocol === 'https:';
    const context = secure ? this.#options.trust?.contextFor(to) : undefined;
    const way = proxy instanceof URL ? proxy.href : (proxy ?? '');
    const name = `${secure ? 'secure' : 'plain'} ${way} ${context === undefined ? '' : to.host}`;
    const kept = this.#agents.get(name);
    if (kept?.context === context && kept !== undefined) return kept.agent;
    if (kept !== undefined) this.#former.add(kept.agent);
    const options = { keepAlive: true, timeout: KEPT, ...(context === undefined ? {} : { secureContext: context }) };
    const agent = !secure
      ? new TappedPlainAgent(options)
      : proxy instanceof URL
        ? new TunnelAgent(proxy, this.#options, options)
        : new TappedSecureAgent(options);
    this.#agents.set(name, { context, agent });
    return agent;
  }

  /** Closes all connections, also those in use, for good; resolves when they are closed. */
  async stop(): Promise<void> {
    const agents = [...this.#former, ...[...this.#agents.values()].map(({ agent }) => agent)];
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
