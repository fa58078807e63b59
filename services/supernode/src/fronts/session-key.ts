import { RESULT_CODE, SESSION_KEY_HEADER, mayUseCid } from '@cdk8s-dragonfly/protocol';
import type { FastifyRequest } from 'fastify';

import type { Refusal } from './refusal';

/** What is answered to who uses a daemon's name without its key: nobody else hears what it is told, ends its session or speaks for it. */
export const NOT_YOURS: Refusal = {
  status: 403,
  code: RESULT_CODE.illegalParameter,
  message: `this cid belongs to who has its key, in the header ${SESSION_KEY_HEADER}`,
};

/** Whether a request may speak for a daemon. */
export function speaksFor(request: FastifyRequest, cid: string): boolean {
  return mayUseCid(cid, request.headers[SESSION_KEY_HEADER]);
}
