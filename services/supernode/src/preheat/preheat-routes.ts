import { PREHEATS_PATH } from '@cdk8s-dragonfly/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Routes } from '../fronts/api-server';
import { parseOrder } from './order';
import type { Preheats } from './preheats';

type WithId = FastifyRequest<{ Params: { id: string } }>;

/**
 * `POST` and `GET /preheats`, `GET` and `DELETE /preheats/{id}`. Errors are `{"code", "message"}` with the HTTP status as code
 * (Dragonfly 0.x protocol, 8).
 */
export function preheatRoutes(preheats: Preheats): Routes {
  return (server) => {
    server.post(PREHEATS_PATH, async (request, reply) => {
      const parsed = parseOrder(typeof request.body === 'string' ? request.body : '');
      if (!parsed.ok) return fail(reply, 400, parsed.message);
      const { id } = parsed.order;
      switch (preheats.order(parsed.order)) {
        case 'taken':
          return { ID: id };
        case 'finished': {
          const message = `the preheat ${id} is finished; delete it (DELETE ${PREHEATS_PATH}/${id}) to order it anew`;
          return reply.code(409).send({ code: 409, message, ID: id });
        }
        case 'full':
          return fail(reply, 503, 'too many preheats wait; order it again later');
      }
    });
    server.get(PREHEATS_PATH, () => preheats.all());
    server.get(`${PREHEATS_PATH}/:id`, async (request: WithId, reply) => {
      return (
        preheats.find(request.params.id) ??
        fail(reply, 404, `there is no such preheat; GET ${PREHEATS_PATH} lists them`)
      );
    });
    server.delete(`${PREHEATS_PATH}/:id`, async (request: WithId, reply) =>
      reply.header('content-type', 'application/json; charset=utf-8').send(String(preheats.remove(request.params.id))),
    );
  };
}

async function fail(reply: FastifyReply, status: number, message: string): Promise<FastifyReply> {
  return reply.code(status).send({ code: status, message });
}
