import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '@cdk8s-dragonfly/command';
import type { BoundAddress, ListenOptions } from '@cdk8s-dragonfly/command';
import type { Patience } from './exchange';
import { PATIENCE, SERVER_LIMITS } from './limits';
import { handle } from './mirror-handler';
import type { MirrorParts } from './mirror-handler';

/** A certificate, with those it was issued by, and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** How much the mirror bears. */
export interface MirrorOptions {
  /** Default {@link PATIENCE}. */
  readonly patience?: Patience;
  /** Connections at the same time; more are closed at once. Default 1024: some dozens of runtimes' pulls. */
  readonly maxConnections?: number;
  /** Default: there is none, and the mirror is no proxy. */
  readonly proxy?: ProxyFront | undefined;
  /** Certificate and key as they are now: it speaks https. Default: http. */
  readonly tls?: { get(): KeyPair } | undefined;
}

/** A proxy at the port of the mirror. */
export interface ProxyFront {
  /** Answers a request whose target is a URL. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Answers a CONNECT. */
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets what moves end for `grace` milliseconds, and cuts the rest. */
  stop(grace: number): Promise<void>;
}

/** A client in the middle of a pull asks for the next blob within this time, in milliseconds. */
const QUIET = 1000;

/** The registry mirror of a node: an HTTP server for container runtimes (OCI distribution specification, pull only). */
export class MirrorServer {
  readonly #server: Server;
  readonly #answering = new Set<Promise<void>>();
  readonly #proxy: ProxyFront | undefined;
  #draining = false;
  #lastAnswer = -Infinity;

  constructor(parts: MirrorParts, options: MirrorOptions = {}) {
    const { patience = PATIENCE, proxy, tls } = options;
    this.#proxy = proxy;
    const listener: RequestListener = (request, response) => {
      const isForProxy = proxy !== undefined && /^https?:/i.test(request.url ?? '');
      const answer = isForProxy ? proxy.answer(request, response) : handle(request, response, parts, patience);
      const answering = answer.finally(() => {
        this.#answering.delete(answering);
        this.#lastAnswer = performance.now();
        if (!this.#server.listening) this.#server.closeIdleConnections();
      });
      this.#answering.add(answering);
    };
    this.#server = tls === undefined ? createServer(SERVER_LIMITS, listener) : secureServer(tls, listener);
    if (proxy !== undefined) this.#server.on('connect', (...asked) => proxy.connect(...asked));
    this.#server.maxConnections = options.maxConnections ?? 1024;
  }

  /** Whether requests are taken, and will be. */
  get listening(): boolean {
    return this.#server.listening && !this.#draining;
  }

  /** @throws CommandError when it cannot listen there. */
  async start(options: ListenOptions): Promise<BoundAddress> {
    return listen(this.#server, options, 'the mirror');
  }

  /**
   * Waits until nobody is in the middle of a pull: no request is being answered, and none was for a second. Requests are taken meanwhile:
   * an image is many of them, and some runtimes fail when the next one is refused.
   *
   * @param limit in milliseconds.
   */
  async drain(limit: number): Promise<void> {
    this.#draining = true;
    const end = performance.now() + limit;
    for (;;) {
      const now = performance.now();
      if (now >= end) return;
      if (this.#answering.size > 0) {
        const ended = new AbortController();
        const late = delay(end - now, undefined, { signal: ended.signal }).catch(() => undefined);
        await Promise.race([late, ...this.#answering]);
        ended.abort();
      } else if (now - this.#lastAnswer < QUIET) {
        await delay(Math.min(this.#lastAnswer + QUIET, end) - now);
      } else return;
    }
  }

  /**
   * Takes no more requests, lets running answers end for `grace` milliseconds (default 0), and cuts the rest: a runtime resumes
   * elsewhere or later.
   */
  async stop(grace = 0): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), grace);
    // Its tunnels are connections of this server too.
    await Promise.all([closed, this.#proxy?.stop(grace)]);
    clearTimeout(timer);
    await Promise.all(this.#answering);
  }
}

/** A renewed certificate counts from the next connection on: the one before is not good for ever. */
function secureServer(tls: { get(): KeyPair }, listener: RequestListener): Server {
  let used = tls.get();
  const server = createSecureServer({ ...SERVER_LIMITS, ...used }, listener);
  // Before its handshake begins.
  server.prependListener('connection', () => {
    const now = tls.get();
    if (now === used) return;
    used = now;
    server.setSecureContext(now);
  });
  return server;
}
