import { REPORTS_PATH, RESULT_CODE, isProvable, peerReport, sessionQuery } from '@cdk8s-dragonfly/protocol';

import type { SessionHub } from '../sessions/session-hub';
import type { Routes } from './api-server';
import { jsonBody } from './json-body';
import { queryFields } from './query-fields';
import { refuse } from './refusal';
import { NOT_YOURS, speaksFor } from './session-key';

/** `POST /native/v3/reports`: a daemon tells which of its neighbours failed it. */
export function reportsRoute(sessions: SessionHub): Routes {
  return (server) => {
    server.post(REPORTS_PATH, async (request, reply) => {
      const query = sessionQuery.safeParse(queryFields(request));
      const body = peerReport.safeParse(jsonBody(request.body));
      if (!query.success || !body.success) {
        const message =
          'a report needs the query fields cid, ip and port of the daemon, and a body {"blob": "sha256:<64 hex>", "peers": ["<cid>", …]}';
        return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
      }
      if (!speaksFor(request, query.data.cid)) return refuse(request, reply, NOT_YOURS);
      // In the name of a daemon from before names had keys anybody could speak.
      if (isProvable(query.data.cid)) sessions.report(query.data.cid, body.data);
      return reply.code(204).send();
    });
  };
}
