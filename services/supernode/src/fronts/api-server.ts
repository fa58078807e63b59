import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { LISTEN_BACKLOG, listenAt, listenError } from '@cdk8s-dragonfly/command';
import type { BoundAddress, Closeable, ListenOptions, Log } from '@cdk8s-dragonfly/command';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Answered, HttpMeter } from '../metrics/http-meter';
import { clientErrors } from './client-error';
import { ConnectionCount } from './connection-count';
import { DirectRoutes } from './direct-routes';
import type { DirectTable } from './direct-routes';
import { httpServer } from './http-server';
import { API_LIMITS } from './limits';
import type { FrontLimits } from './limits';
import { isOpsPath } from './ops-paths';
import { OVERLOADED, STOPPING, pathOf, refuse } from './refusal';
import type { Refusal } from './refusal';
import { PingRoute } from './ping-route';
import { REQUEST_ID_HEADER, requestIds } from './request-id';
import { RequestTurns } from './request-turns';
import { RunningAnswers } from './running-answers';
import { WaitingClients } from './waiting-clients';

/** A family of routes. */
export type Routes = (server: FastifyInstance) => void;

/** What the control API works with. */
export interface ApiServerOptions {
  readonly log: Log;
  /** Of this process: another at each start. */
  readonly processId: string;
  readonly limits?: Partial<FrontLimits> | undefined;
  readonly meter?: HttpMeter | undefined;
  /** What original clients ask all the time. */
  readonly direct?: DirectTable | undefined;
}

/** The original takes each route with its version in front as well (Dragonfly 0.x protocol, 2). */
const VERSION_PREFIX = /^\/v[0-9.]+(?=\/)/;

const SCHEME_AND_HOST = /^https?:\/\/[^/?]*(?=\/)/i;

/** The control API on 8002. */
export class ApiServer implements Closeable {
  private readonly server: FastifyInstance;
  private readonly direct: DirectRoutes;
  private readonly pings: PingRoute;
  private readonly connections: ConnectionCount;
  /** The value of the `Keep-Alive` header. */
  private readonly keepAlive: string;
  private readonly limits: FrontLimits;
  private readonly waiting = new WaitingClients();
  private readonly turns: RequestTurns;
  private readonly answers = new RunningAnswers();
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
    const idOf = requestIds();
    this.keepAlive = `timeout=${Math.floor(this.limits.idle / 1000)}`;
    this.direct = this.directRoutes(idOf);
    this.pings = new PingRoute({
      processId: options.processId,
      idOf,
      keepAlive: this.keepAlive,
      answered: (answered) => this.answered(answered),
    });
    this.server = fastify({
      bodyLimit: this.limits.bodyBytes,
      forceCloseConnections: true,
      serverFactory: (framework) =>
        httpServer(this.limits, (request, response) => {
          this.answers.begin(request, response);
          const target = targetOf(request.url);
          if (this.pings.take(request, target, response) || this.direct.take(request, target, response)) return;
          framework(request, response);
        }),
      genReqId: idOf,
      // Few routes read their query, and original clients do not escape theirs: see `queryFields`.
      routerOptions: { querystringParser: () => ({}) },
      rewriteUrl: ({ url }) => targetOf(url),
      clientErrorHandler: clientErrors(idOf, options.log),
      frameworkErrors: (error, request, reply) => void this.failed(error, request, reply),
    });
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
      const { port } = options;
      await listenAt(options.host, (host) => this.server.listen({ host, port, backlog: LISTEN_BACKLOG }));
    } catch (error) {
      throw listenError(error, options, 'the control API');
    }
    const bound = this.server.server.address();
    if (bound === null || typeof bound === 'string') throw new TypeError('the control API has no TCP address');
    return { host: bound.address, port: bound.port };
  }

  /**
   * From now on refuses what would be begun. Resolves when the running answers are out and the original clients that were told to ask again
   * know, at the latest after the time of the limits.
   */
  async drain(): Promise<void> {
    this.stopping = true;
    this.drained ??= this.waiting.wait(this.limits.stop, () => this.answers.count === 0);
    return this.drained;
  }

  /** Drains, and closes the port. */
  async stop(): Promise<void> {
    if (this.server.server.listening) await this.drain();
    await this.server.close();
    this.turns.stop();
  }

  private directRoutes(idOf: (message: IncomingMessage) => string): DirectRoutes {
    return new DirectRoutes({
      routes: this.options.direct ?? new Map(),
      idOf,
      keepAlive: this.keepAlive,
      refusal: (path, socket) => this.refusal(path, socket),
      take: (begin, socket) => this.turns.take(begin, socket),
      answering: ({ path, url }, { code }) => {
        if (path === '/peer/task') this.waiting.told(url, code);
      },
      answered: (answered) => this.answered(answered),
      crashed: (id, path, error) => this.crashed(id, path, error),
    });
  }

  private addHooks(): void {
    this.server.addHook('onRequest', (request, _reply, done) => {
      // Probes and pings ask whether it lives, not whether it has little to do.
      if (isOpsPath(pathOf(request.url))) done();
      else this.turns.take(done, request.socket);
    });
    // Hooks with callbacks: those with promises take a third of the time of a whole request.
    this.server.addHook('onRequest', (request, reply, done) => {
      void reply.header(REQUEST_ID_HEADER, request.id);
      const refusal = this.refusal(pathOf(request.url), request.socket);
      if (refusal !== undefined) {
        refuse(request, reply.header('connection', 'close'), refusal).catch(done);
        return;
      }
      if (reply.raw.shouldKeepAlive) void reply.header('keep-alive', this.keepAlive);
      done();
    });
    this.server.addHook('onResponse', (request, reply, done) => {
      this.answered({
        id: request.id,
        method: request.method,
        path: pathOf(request.url),
        // Routes, not paths: there are as many series as routes, whatever clients ask.
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: reply.elapsedTime,
        taken: lengthOf(request.headers['content-length']),
        given: lengthOf(reply.getHeader('content-length')),
      });
      done();
    });
  }

  /** Why nothing is begun for a connection; undefined when it is served. */
  private refusal(path: string, socket: Socket): Refusal | undefined {
    if (!this.stopping && !this.connections.isSurplus(socket)) return undefined;
    if (isOpsPath(path)) return undefined;
    return this.stopping ? STOPPING : OVERLOADED;
  }

  private answered(answered: Answered): void {
    const { log, meter } = this.options;
    meter?.answered(answered);
    if (!log.isLevelEnabled('debug')) return;
    const { id, method, path, status, ms } = answered;
    log.debug({ request: id, method, path, status, ms: Math.round(ms) }, 'answered');
  }

  private async failed(error: FastifyError, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const status = error.statusCode ?? 500;
    if (status >= 500) return refuse(request, reply, this.crashed(request.id, pathOf(request.url), error));
    const most = `the body of a request may have ${this.limits.bodyBytes} bytes at most`;
    const said = error.message === '' ? (STATUS_CODES[status] ?? 'wrong request') : error.message;
    const message = status === 413 ? most : said;
    return refuse(request, reply, { status, code: RESULT_CODE.illegalParameter, message });
  }

  private crashed(id: string, path: string, error: unknown): Refusal {
    this.options.log.error({ request: id, path, err: error }, 'a request failed');
    const message = 'something failed in the supernode; its log tells what';
    return { status: 500, code: RESULT_CODE.systemError, message };
  }
}

/** What is asked for, without a version in front, and without the scheme and host that clients of a proxy put there (RFC 9112, 3.2.2). */
function targetOf(url = '/'): string {
  const target = url.startsWith('/') ? url : url.replace(SCHEME_AND_HOST, '');
  // Most have none, and a regular expression is dear for each request.
  return target.startsWith('/v') ? target.replace(VERSION_PREFIX, '') : target;
}

function lengthOf(header: unknown): number {
  const length = Number(header ?? 0);
  return Number.isFinite(length) ? length : 0;
}
