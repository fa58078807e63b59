import type { ServerResponse } from 'node:http';

import { FORMER_SESSION_PATHS, RESULT_CODE, SESSION_PATH, sessionQuery } from '@cdk8s-dragonfly/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { SessionHub } from '../sessions/session-hub';
import type { Routes } from './api-server';
import { queryFields } from './query-fields';
import { refuse } from './refusal';
import { REQUEST_ID_HEADER } from './request-id';
import { NOT_YOURS, speaksFor } from './session-key';

/** What `HEAD` opened would take the place of a session that its daemon hears. */
const NO_HEAD = { exposeHeadRoute: false };

/** `GET /native/v3/session`: the stream over which a daemon hears of its blobs. */
export function sessionRoute(sessions: SessionHub): Routes {
  return (server) => {
    server.get(SESSION_PATH, NO_HEAD, async (request, reply) => {
      const query = sessionQuery.safeParse(queryFields(request));
      if (!query.success) {
        const message = 'a session needs the query fields cid, ip and port of the daemon';
        return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
      }
      if (!speaksFor(request, query.data.cid)) return refuse(request, reply, NOT_YOURS);
      sessions.open(query.data.cid, streamOf(request, reply), query.data.number);
      return reply;
    });
    for (const path of FORMER_SESSION_PATHS) {
      server.get(path, NO_HEAD, (request, reply) => {
        sessions.openIdle(streamOf(request, reply));
        return reply;
      });
    }
  };
}

/** Straight to the response: lines to thousands of daemons need no stream in between. */
function streamOf(request: FastifyRequest, reply: FastifyReply): ServerResponse {
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
  return raw;
}
