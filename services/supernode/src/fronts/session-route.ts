import { PassThrough } from 'node:stream';

import { RESULT_CODE, SESSION_PATH, sessionQuery } from '@cdk8s-dragonfly/protocol';

import type { SessionHub } from '../sessions/session-hub';
import type { Routes } from './api-server';
import { refuse } from './refusal';

/** `GET /native/v1/session`: the stream over which a daemon hears of its blobs. */
export function sessionRoute(sessions: SessionHub): Routes {
  return (server) => {
    server.get(SESSION_PATH, async (request, reply) => {
      const query = sessionQuery.safeParse(request.query);
      if (!query.success) {
        const message = 'a session needs the query fields cid, ip and port of the daemon';
        return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
      }
      const lines = new PassThrough();
      reply.raw.once('close', () => lines.destroy());
      sessions.open(query.data.cid, lines);
      return reply.header('content-type', 'application/x-ndjson').header('cache-control', 'no-store').send(lines);
    });
  };
}
