import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { listen } from '@cdk8s-dragonfly/command';
import type { BoundAddress, ListenOptions } from '@cdk8s-dragonfly/command';
import type { Patience } from './exchange';
import { handle } from './mirror-handler';
import type { MirrorParts } from './mirror-handler';

/** How much the mirror bears. */
export interface MirrorOptions {
  /** Default {@link PATIENCE}. */
  readonly patience?: Patience;
  /** Connections at the same time; more are closed at once. Default 1024: some dozens of runtimes' pulls. */
  readonly maxConnections?: number;
}

/**
 * How long an answer may make no progress. These are the last resort: swarm and origin have shorter limits of their own, each with a flag. A
 * client may be slow for minutes, while its disk is; it holds one block of memory meanwhile.
 */
export const PATIENCE: Patience = { source: 120_000, client: 600_000 };

/** Registry credentials may have some KiB. */
const MAX_HEADER_SIZE = 32 * 1024;
/** The head of a request, in milliseconds from its first byte. */
const HEADERS_TIMEOUT = 10_000;
/** A whole request, its body included if a client sends one, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;
/** Between two requests of a connection, in milliseconds: longer than the pauses of a pull. */
const KEEP_ALIVE_TIMEOUT = 75_000;

/** The registry mirror of a node: an HTTP server for container runtimes (OCI distribution specification, pull only). */
export class MirrorServer {
  readonly #server: Server;
  readonly #answering = new Set<Promise<void>>();

  constructor(parts: MirrorParts, options: MirrorOptions = {}) {
    const patience = options.patience ?? PATIENCE;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_SIZE,
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        const answering = handle(request, response, parts, patience).finally(() => {
          this.#answering.delete(answering);
          if (!this.#server.listening) this.#server.closeIdleConnections();
        });
        this.#answering.add(answering);
      },
    );
    this.#server.maxConnections = options.maxConnections ?? 1024;
  }

  /** Whether requests are taken. */
  get listening(): boolean {
    return this.#server.listening;
  }

  /** @throws CommandError when it cannot listen there. */
  async start(options: ListenOptions): Promise<BoundAddress> {
    return listen(this.#server, options, 'the mirror');
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
    await closed;
    clearTimeout(timer);
    await Promise.all(this.#answering);
  }
}
