import { RESULT_CODE, SESSION_PATH, sessionQuery } from '@cdk8s-dragonfly/protocol';

import type { SessionHub } from '../sessions/session-hub';
import type { Routes } from './api-server';
import { queryFields } from './query-fields';
import { refuse } from './refusal';
import { REQUEST_ID_HEADER } from './request-id';
import { NOT_YOURS, speaksFor } from './session-key';

/** `GET /native/v1/session`: the stream over which a daemon hears of its blobs. */
export function sessionRoute(sessions: SessionHub): Routes {
  return (server) => {
    server.get(SESSION_PATH, async (request, reply) => {
      const query = sessionQuery.safeParse(queryFields(request));
      if (!query.success) {
        const message = 'a session needs the query fields cid, ip and port of the daemon';
        return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
      }
      if (!speaksFor(request, query.data.cid)) return refuse(request, reply, NOT_YOURS);
      // Straight to the response: lines to thousands of daemons need no stream in between.
      const { raw } = reply.hijack();
      // Its end is that of the connection: a line in no chunk of its own costs one buffer instead of three.
      raw.useChunkedEncodingByDefault = false;
      raw.writeHead(200, {
        connection: 'close',
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
        [REQUEST_ID_HEADER]: request.id,
      });
      raw.flushHeaders();
      sessions.open(query.data.cid, raw, query.data.number);
      return reply;
    });
  };
}
