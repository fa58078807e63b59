import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { listen } from '@cdk8s-dragonfly/command';
import type { BoundAddress, ListenOptions } from '@cdk8s-dragonfly/command';
import type { Metrics } from './metrics';

/** Whether a part takes requests, by its name, such as `the mirror`. */
export type Readiness = () => ReadonlyMap<string, boolean>;

/**
 * `/livez` and `/readyz` for the kubelet: `livez` is 200 while the process answers, `readyz` is 200 when every part takes requests, else
 * 503 with one line for each that does not; `/metrics` for Prometheus. Nothing else is served: this port may be open to the cluster.
 */
export class OpsServer {
  readonly #server: Server;

  /** @param metrics undefined while there is nothing to measure. */
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: () => Metrics | undefined,
  ) {
    const limits = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 15_000, maxHeaderSize: 8 * 1024 };
    this.#server = createServer({ ...limits, connectionsCheckingInterval: 2_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        reply(response, 500, error instanceof Error ? error.message : String(error));
      });
    });
    this.#server.maxConnections = 64;
  }

  /** @throws CommandError when it cannot listen there. */
  async start(options: ListenOptions): Promise<BoundAddress> {
    return listen(this.#server, options, 'the health endpoint');
  }

  /** Closes the port and its connections. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply(response.setHeader('Allow', 'GET, HEAD'), 405, 'only GET and HEAD');
    } else if (path === '/livez') {
      reply(response, 200, 'ok');
    } else if (path === '/readyz') {
      const missing = [...this.readiness()].flatMap(([what, ready]) => (ready ? [] : [`${what} is not ready`]));
      reply(response, missing.length === 0 ? 200 : 503, missing.length === 0 ? 'ok' : missing.join('\n'));
    } else if (path === '/metrics') {
      const metrics = this.metrics();
      if (metrics === undefined) reply(response, 503, 'not started yet');
      else reply(response, 200, (await metrics.text()).trimEnd(), metrics.contentType);
    } else {
      reply(response, 404, 'only /livez, /readyz and /metrics');
    }
  }
}

function reply(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  const body = `${text}\n`;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
