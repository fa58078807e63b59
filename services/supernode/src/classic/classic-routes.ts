import type { FastifyRequest } from 'fastify';

import type { Routes } from '../fronts/api-server';
import { FORWARD_HEADER } from '../replicas/forward-mark';
import type { ClassicPath, Forwarder, Incoming } from '../replicas/forward';

const PATHS: readonly ClassicPath[] = ['/peer/task', '/peer/piece/suc', '/peer/piece/error', '/peer/service/down'];

/** What original clients ask beside the registration; always answered with HTTP status 200 (Dragonfly 0.x protocol, 9 and T1). */
export function classicRoutes(forwarder: Forwarder): Routes {
  return (server) => {
    for (const path of PATHS) {
      server.get(path, (request, reply) => {
        const answer = forwarder.answer(path, queryOf(request.url), () => incomingOf(request));
        // Thousands a second: what is there at once takes no turn of promises.
        if (answer instanceof Promise) return answer;
        return reply.send(answer);
      });
    }
  };
}

/** The request as a replica would pass it on. */
export function incomingOf({ url: target, headers, body }: FastifyRequest): Incoming {
  const mark = headers[FORWARD_HEADER];
  return typeof body === 'string' ? { target, body, mark } : { target, mark };
}

/** The query as it was sent: the values of Go clients are not escaped. */
function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}
