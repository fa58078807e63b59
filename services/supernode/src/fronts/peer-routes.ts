import { isIP } from 'node:net';

import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

import type { Routes } from './api-server';
import { LONGEST_HOST_NAME, LONGEST_VERSION } from './peer-table';
import type { PeerDocument, PeerTable } from './peer-table';
import { jsonBody } from './json-body';
import { queryFields } from './query-fields';
import { refuse } from './refusal';

const PEER = z.object({
  IP: z.string().refine((ip) => isIP(ip) !== 0),
  hostName: z.string().min(1).max(LONGEST_HOST_NAME),
  port: z.int().min(0).max(65_535).default(0),
  version: z.string().max(LONGEST_VERSION).default(''),
});

const PAGE = z.object({
  pageNum: z.coerce.number().int().min(0).default(0),
  pageSize: z.coerce.number().int().min(1).optional(),
});

type WithId = FastifyRequest<{ Params: { id: string } }>;

/**
 * `POST` and `GET /peers`, `GET` and `DELETE /peers/{id}` (Dragonfly 0.x protocol, 2.8).
 *
 * @param self the supernode itself, which stands first in the list
 */
export function peerRoutes(peers: PeerTable, self: PeerDocument): Routes {
  return (server) => {
    server.post('/peers', async (request, reply) => {
      const peer = PEER.safeParse(jsonBody(request.body));
      if (!peer.success) {
        return wrong(
          request,
          reply,
          'a peer is {"IP": address, "hostName": name, "port": 0 to 65535, "version": text}',
        );
      }
      return reply.code(201).send({ ID: peers.add(peer.data).ID });
    });
    server.get('/peers', async (request, reply) => {
      const page = PAGE.safeParse(queryFields(request));
      if (!page.success) return wrong(request, reply, 'pageNum is a whole number from 0, pageSize one from 1');
      const { pageNum, pageSize } = page.data;
      const all = [self, ...peers.all()];
      return pageSize === undefined ? all : all.slice(pageNum * pageSize, (pageNum + 1) * pageSize);
    });
    server.get('/peers/:id', async (request: WithId, reply) => {
      const { id } = request.params;
      return (id === self.ID ? self : peers.find(id)) ?? unknown(request, reply);
    });
    server.delete('/peers/:id', async (request: WithId, reply) =>
      peers.remove(request.params.id) ? reply.code(200).send() : unknown(request, reply),
    );
  };
}

async function wrong(request: FastifyRequest, reply: FastifyReply, message: string): Promise<FastifyReply> {
  return refuse(request, reply, { status: 400, code: RESULT_CODE.illegalParameter, message });
}

async function unknown(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const message = 'there is no peer with this ID; GET /peers lists them';
  return refuse(request, reply, { status: 404, code: RESULT_CODE.targetNotFound, message });
}
