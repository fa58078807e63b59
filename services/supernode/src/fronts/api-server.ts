import { PassThrough } from 'node:stream';

import { listenError } from '@cdk8s-dragonfly/command';
import type { BoundAddress, Closeable, ListenOptions } from '@cdk8s-dragonfly/command';
import { RESULT_CODE, SESSION_PATH, failureAnswer, sessionQuery } from '@cdk8s-dragonfly/protocol';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import type { SessionHub } from '../sessions/session-hub';

/** The largest request body in bytes: a registration with long tokens fits. */
const BODY_LIMIT = 256 * 1024;

/** A family of routes. */
export type Routes = (server: FastifyInstance) => void;

/** The control API on 8002. */
export class ApiServer implements Closeable {
  private readonly server: FastifyInstance;

  /** @param routes the routes beside those of the native protocol. */
  constructor(
    private readonly sessions: SessionHub,
    ...routes: readonly Routes[]
  ) {
    this.server = fastify({
      bodyLimit: BODY_LIMIT,
      keepAliveTimeout: 60_000,
      requestTimeout: 10_000,
      forceCloseConnections: true,
    });
    this.server.get('/_ping', () => 'OK');
    this.server.get(SESSION_PATH, (request, reply) => {
      const query = sessionQuery.safeParse(request.query);
      if (!query.success) {
        const message = 'a session needs the query fields cid, ip and port of the daemon';
        return reply.code(400).send({ code: RESULT_CODE.illegalParameter, message });
      }
      const lines = new PassThrough();
      reply.raw.once('close', () => lines.destroy());
      this.sessions.open(query.data.cid, lines);
      return reply.header('content-type', 'application/x-ndjson').header('cache-control', 'no-store').send(lines);
    });
    // Original clients take any status but 200 on /peer/* for a crash of the supernode, and some crash themselves.
    this.server.setErrorHandler(async (error: Error & { statusCode?: number }, request, reply) => {
      const status = error.statusCode ?? 500;
      const code = status < 500 ? RESULT_CODE.illegalParameter : RESULT_CODE.systemError;
      const classic = request.url.startsWith('/peer/');
      if (classic) return reply.code(200).send(failureAnswer(code, error.message));
      return reply.code(status).send({ code, message: error.message });
    });
    this.server.setNotFoundHandler(async (request, reply) =>
      reply.code(404).send({
        code: RESULT_CODE.notFound,
        message: `${request.method} ${request.url.split('?')[0] ?? ''} is no route of the supernode`,
      }),
    );
    for (const add of routes) add(this.server);
  }

  /** @throws CommandError when the address cannot be had. */
  async start(options: ListenOptions): Promise<BoundAddress> {
    try {
      await this.server.listen({ host: options.host, port: options.port });
    } catch (error) {
      throw listenError(error, options, 'the control API');
    }
    const bound = this.server.server.address();
    return { host: options.host, port: typeof bound === 'object' && bound !== null ? bound.port : options.port };
  }

  async stop(): Promise<void> {
    await this.server.close();
  }
}
