import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { ClassicAnswer } from '@cdk8s-dragonfly/protocol';

import type { Answered } from '../metrics/http-meter';
import { pathOf, queryOf, refusalAnswer } from './refusal';
import type { Refusal } from './refusal';
import { REQUEST_ID_HEADER } from './request-id';

/** A `GET` as it came in. */
export interface DirectRequest {
  readonly message: IncomingMessage;
  readonly id: string;
  /** Without a version in front. */
  readonly url: string;
  readonly path: string;
}

/** Gives the answer to a request: at once, or a promise of it when it has to wait. `query` stands as it was sent. */
export type DirectRoute = (query: string, request: DirectRequest) => ClassicAnswer | Promise<ClassicAnswer>;

/** Routes by their path. */
export type DirectTable = ReadonlyMap<string, DirectRoute>;

/** What of the front concerns these requests too. */
export interface DirectTools {
  readonly routes: DirectTable;
  readonly idOf: (message: IncomingMessage) => string;
  /** Why nothing is begun for a connection; undefined when it is served. */
  readonly refusal: (path: string, socket: Socket) => Refusal | undefined;
  /** Begins at once, or when it is the request's turn. */
  readonly take: (begin: () => void, socket: Socket) => void;
  /** The value of the `Keep-Alive` header. */
  readonly keepAlive: string;
  /** Is told of each answer before it goes out. */
  readonly answering: (request: DirectRequest, answer: ClassicAnswer) => void;
  readonly answered: (answered: Answered) => void;
  readonly crashed: (id: string, path: string, error: unknown) => Refusal;
}

/**
 * What original clients ask thousands of times a second: a `GET` with all in its query, answered with HTTP status 200 and a short JSON
 * whatever happens (Dragonfly 0.x protocol, 9 and T1). Hooks, header maps and life cycle of the framework took more time than the answer
 * itself, so these requests do not pass through it; all others do.
 */
export class DirectRoutes {
  constructor(private readonly tools: DirectTools) {}

  /** Answers the request; false when it is none of these. */
  take(message: IncomingMessage, url: string, response: ServerResponse): boolean {
    if (message.method !== 'GET') return false;
    const path = pathOf(url);
    const route = this.tools.routes.get(path);
    if (route === undefined) return false;
    const exchange = new Exchange(this.tools, { message, id: this.tools.idOf(message), url, path }, response);
    this.tools.take(() => exchange.begin(route), message.socket);
    return true;
  }
}

/** One request and its answer. */
class Exchange {
  private readonly began = performance.now();

  constructor(
    private readonly tools: DirectTools,
    private readonly request: DirectRequest,
    private readonly response: ServerResponse,
  ) {}

  begin(route: DirectRoute): void {
    const { path, url, message } = this.request;
    const refusal = this.tools.refusal(path, message.socket);
    if (refusal !== undefined) {
      this.send(refusalAnswer(path, refusal), true);
      return;
    }
    const answer = this.answerOf(route, queryOf(url));
    if (answer instanceof Promise) {
      answer
        .catch((error: unknown) => this.crashed(error))
        .then((late) => this.send(late))
        // An answer that cannot be sent ends its connection: nothing more can be said on it.
        .catch(() => this.response.destroy());
    } else {
      this.send(answer);
    }
  }

  private answerOf(route: DirectRoute, query: string): ClassicAnswer | Promise<ClassicAnswer> {
    try {
      return route(query, this.request);
    } catch (error) {
      return this.crashed(error);
    }
  }

  private crashed(error: unknown): ClassicAnswer {
    const { id, path } = this.request;
    return refusalAnswer(path, this.tools.crashed(id, path, error));
  }

  private send(answer: ClassicAnswer, isLast = false): void {
    const { tools, request, response } = this;
    tools.answering(request, answer);
    const body = JSON.stringify(answer);
    const given = Buffer.byteLength(body);
    // On, not once: there is one end, and its wrapper costs more than the rest of this method.
    response.on('finish', () => this.sent(given));
    // A flat list is written as it stands; fields that are set one by one go into a map first, and are looked through.
    const kept = response.shouldKeepAlive ? ['keep-alive', tools.keepAlive] : [];
    const end = isLast ? ['connection', 'close'] : kept;
    const head = ['content-type', JSON_TYPE, 'content-length', `${given}`, REQUEST_ID_HEADER, request.id, ...end];
    // Text of ASCII only need not be encoded.
    response.writeHead(200, head).end(body, given === body.length ? 'latin1' : 'utf8');
  }

  private sent(given: number): void {
    const { id, path } = this.request;
    const ms = performance.now() - this.began;
    this.tools.answered({ id, method: 'GET', path, route: path, status: 200, ms, taken: 0, given });
  }
}

const JSON_TYPE = 'application/json; charset=utf-8';
