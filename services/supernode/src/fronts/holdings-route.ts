import { HOLDINGS_PATH, RESULT_CODE, holdings, holdingsQuery } from '@cdk8s-dragonfly/protocol';

import type { Announced } from '../holders/announced';
import type { Routes } from './api-server';
import { jsonBody } from './json-body';
import { queryFields } from './query-fields';
import { refuse } from './refusal';
import { NOT_YOURS, speaksFor } from './session-key';

/** `POST /native/v3/holdings`: a daemon tells which blobs it has whole. */
export function holdingsRoute(announced: Announced): Routes {
  return (server) => {
    server.post(HOLDINGS_PATH, async (request, reply) => {
      const query = holdingsQuery.safeParse(queryFields(request));
      const body = holdings.safeParse(jsonBody(request.body));
      if (!query.success || !body.success) {
        const message =
          'holdings need the query fields cid, ip and port of the daemon, and a body {"blobs": ["sha256:<64 hex>", …]}';
        return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
      }
      if (!speaksFor(request, query.data.cid)) return refuse(request, reply, NOT_YOURS);
      announced.take(query.data, body.data, request.socket.remoteAddress);
      return reply.code(204).send();
    });
  };
}
