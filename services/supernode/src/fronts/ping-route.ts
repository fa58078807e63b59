import type { IncomingMessage, ServerResponse } from 'node:http';

import { PROCESS_HEADER } from '@cdk8s-dragonfly/protocol';

import type { Answered } from '../metrics/http-meter';
import { OPS_PATHS } from './ops-paths';
import { pathOf } from './refusal';
import { REQUEST_ID_HEADER } from './request-id';

const OK = 'OK';

/** What of the front concerns pings too. */
export interface PingTools {
  /** Of this process: another at each start. */
  readonly processId: string;
  readonly idOf: (message: IncomingMessage) => string;
  /** The value of the `Keep-Alive` header. */
  readonly keepAlive: string;
  readonly answered: (answered: Answered) => void;
}

/**
 * `GET /_ping`, as of the originals: 200 and `OK` while the process answers, whatever it has to do and while it stops. Thousands of daemons ask it
 * every second when they wait, so it does not pass through the framework, which takes most of the time of such a request.
 */
export class PingRoute {
  constructor(private readonly tools: PingTools) {}

  /** Answers the request; false when it is no ping. */
  take(message: IncomingMessage, url: string, response: ServerResponse): boolean {
    const { method = '' } = message;
    if ((method !== 'GET' && method !== 'HEAD') || pathOf(url) !== OPS_PATHS.ping) return false;
    const { answered, idOf, keepAlive, processId } = this.tools;
    const began = performance.now();
    const id = idOf(message);
    const kept = response.shouldKeepAlive ? ['keep-alive', keepAlive] : [];
    const head = ['content-type', 'text/plain; charset=utf-8', 'content-length', `${OK.length}`];
    response.on('finish', () => {
      const ms = performance.now() - began;
      answered({
        id,
        method,
        path: OPS_PATHS.ping,
        route: OPS_PATHS.ping,
        status: 200,
        ms,
        taken: 0,
        given: OK.length,
      });
    });
    response.writeHead(200, [...head, REQUEST_ID_HEADER, id, PROCESS_HEADER, processId, ...kept]).end(OK, 'latin1');
    return true;
  }
}
