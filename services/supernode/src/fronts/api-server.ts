import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { LISTEN_BACKLOG, listenError } from '@cdk8s-dragonfly/command';
import type { BoundAddress, Closeable, ListenOptions, Log } from '@cdk8s-dragonfly/command';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { HttpMeter } from '../metrics/http-meter';
import { answerClientError } from './client-error';
import { ConnectionCount } from './connection-count';
import { API_LIMITS, checkEvery } from './limits';
import type { FrontLimits } from './limits';
import { isOpsPath } from './ops-paths';
import { OVERLOADED, STOPPING, pathOf, refuse } from './refusal';
import { REQUEST_ID_HEADER, requestIds } from './request-id';
import { RequestTurns } from './request-turns';
import { WaitingClients } from './waiting-clients';

/** A family of routes. */
export type Routes = (server: FastifyInstance) => void;

/** What the control API works with. */
export interface ApiServerOptions {
  readonly log: Log;
  readonly limits?: Partial<FrontLimits> | undefined;
  readonly meter?: HttpMeter | undefined;
}

/** The original takes each route with its version in front as well (Dragonfly 0.x protocol, 2). */
const VERSION_PREFIX = /^\/v[0-9.]+(?=\/)/;

/** The control API on 8002. */
export class ApiServer implements Closeable {
  private readonly server: FastifyInstance;
  private readonly connections: ConnectionCount;
  private readonly limits: FrontLimits;
  private readonly waiting = new WaitingClients();
  private readonly turns: RequestTurns;
  private running = 0;
  private stopping = false;
  private drained: Promise<void> | undefined;

  constructor(
    private readonly options: ApiServerOptions,
    ...routes: readonly Routes[]
  ) {
    this.limits = { ...API_LIMITS, ...options.limits };
    this.turns = new RequestTurns(() => {
      if (options.meter !== undefined) options.meter.abandoned += 1;
    });
    const { bodyBytes, headerBytes, requestTimeout, idle } = this.limits;
    this.server = fastify({
      bodyLimit: bodyBytes,
      connectionTimeout: idle,
      requestTimeout,
      forceCloseConnections: true,
      http: {
        maxHeaderSize: headerBytes,
        headersTimeout: requestTimeout,
        connectionsCheckingInterval: checkEvery(this.limits),
      },
      genReqId: requestIds(),
      // Few routes read their query, and original clients do not escape theirs: see `queryFields`.
      routerOptions: { querystringParser: () => ({}) },
      rewriteUrl: ({ url = '/' }) => url.replace(VERSION_PREFIX, ''),
      clientErrorHandler: answerClientError,
      frameworkErrors: (error, request, reply) => void this.failed(error, request, reply),
    });
    // One timer a connection, which each byte sets back. Node.js would make two more for each request, and with thousands of connections these
    // live until they are old: marking what is left of them takes the only core for a fifth of a second every few seconds.
    this.server.server.keepAliveTimeout = 0;
    this.connections = new ConnectionCount(this.server.server, this.limits);
    this.server.server.on('connection', (socket: Socket) => this.turns.connected(socket));
    this.addHooks();
    this.server.setErrorHandler(async (error: FastifyError, request, reply) => this.failed(error, request, reply));
    this.server.setNotFoundHandler(async (request, reply) => {
      const message = `${request.method} ${pathOf(request.url)} is no route of the supernode`;
      return refuse(request, reply, { status: 404, code: RESULT_CODE.notFound, message });
    });
    for (const add of routes) add(this.server);
  }

  /** Whether it takes requests. */
  get listening(): boolean {
    return this.server.server.listening && !this.stopping;
  }

  /** How many connections are open. */
  get openConnections(): number {
    return this.connections.open;
  }

  /** @throws CommandError when the address cannot be had. */
  async start(options: ListenOptions): Promise<BoundAddress> {
    try {
      await this.server.listen({ host: options.host, port: options.port, backlog: LISTEN_BACKLOG });
    } catch (error) {
      throw listenError(error, options, 'the control API');
    }
    const bound = this.server.server.address();
    return { host: options.host, port: typeof bound === 'object' && bound !== null ? bound.port : options.port };
  }

  /**
   * From now on refuses what would be begun. Resolves when the running answers are out and the original clients that were told to ask again
   * know, at the latest after the time of the limits.
   */
  async drain(): Promise<void> {
    this.stopping = true;
    this.drained ??= this.waiting.wait(this.limits.stop, () => this.running === 0);
    return this.drained;
  }

  /** Drains, and closes the port. */
  async stop(): Promise<void> {
    if (this.server.server.listening) await this.drain();
    await this.server.close();
    this.turns.stop();
  }

  private addHooks(): void {
    const { log, meter } = this.options;
    const keepAlive = `timeout=${Math.floor(this.limits.idle / 1000)}`;
    this.server.addHook('onRequest', (request, _reply, done) => this.turns.take(done, request.socket));
    // Hooks with callbacks: those with promises take a third of the time of a whole request.
    this.server.addHook('onRequest', (request, reply, done) => {
      void reply.header(REQUEST_ID_HEADER, request.id);
      const surplus = this.connections.isSurplus(request.socket);
      const isRefused = (this.stopping || surplus) && !isOpsPath(pathOf(request.url));
      if (reply.raw.shouldKeepAlive && !isRefused) void reply.header('keep-alive', keepAlive);
      if (isRefused) {
        refuse(request, reply.header('connection', 'close'), this.stopping ? STOPPING : OVERLOADED).catch(done);
        return;
      }
      done();
    });
    this.server.server.on('request', (_request, response) => {
      this.running += 1;
      response.once('close', () => (this.running -= 1));
    });
    this.server.addHook('onRoute', (route) => {
      if (route.url !== '/peer/task') return;
      route.preSerialization = (request, _reply, answer: unknown, done): void => {
        this.waiting.told(request.url, codeOf(answer));
        done(null, answer);
      };
    });
    this.server.addHook('onResponse', (request, reply, done) => {
      meter?.answered(request, reply);
      if (log.isLevelEnabled('debug')) {
        const { id, method, url } = request;
        const ms = Math.round(reply.elapsedTime);
        log.debug({ request: id, method, path: pathOf(url), status: reply.statusCode, ms }, 'answered');
      }
      done();
    });
  }

  private async failed(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      this.options.log.error({ request: request.id, path: pathOf(request.url), err: error }, 'a request failed');
      const message = 'something failed in the supernode; its log tells what';
      return refuse(request, reply, { status, code: RESULT_CODE.systemError, message });
    }
    const most = `the body of a request may have ${this.limits.bodyBytes} bytes at most`;
    const said = error.message === '' ? (STATUS_CODES[status] ?? 'wrong request') : error.message;
    const message = status === 413 ? most : said;
    return refuse(request, reply, { status, code: RESULT_CODE.illegalParameter, message });
  }
}

function codeOf(answer: unknown): number {
  return typeof answer === 'object' && answer !== null && 'code' in answer ? Number(answer.code) : 0;
}
