import type { ServerResponse } from 'node:http';

import { RESULT_CODE, failureAnswer, successAnswer } from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer } from '@cdk8s-dragonfly/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Why a request gets no other answer. */
export interface Refusal {
  /** The HTTP status, for all but original clients. */
  readonly status: number;
  /** A code of the original protocol. */
  readonly code: number;
  /** One sentence. */
  readonly message: string;
}

/** What clients are told while the supernode ends. */
export const STOPPING: Refusal = { status: 503, code: RESULT_CODE.superFail, message: 'the supernode is stopping' };

/** What clients are told on a connection too many. */
export const OVERLOADED: Refusal = {
  status: 503,
  code: RESULT_CODE.superFail,
  message: 'the supernode has too many connections',
};

/**
 * Refuses a request: JSON with code and message. Original clients take any status but 200 on `/peer/*` for a crash of the supernode, and
 * some crash themselves: they get the code in an answer of their protocol (Dragonfly 0.x protocol, 9 and T1).
 */
export async function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): Promise<FastifyReply> {
  const path = pathOf(request.url);
  if (path.startsWith('/peer/')) return reply.code(200).send(refusalAnswer(path, refusal));
  const { status, code, message } = refusal;
  return reply.code(status).send({ code, message });
}

/** What a refused original client gets, with HTTP status 200; reports that nothing depends on are taken. */
export function refusalAnswer(path: string, { status, code, message }: Refusal): ClassicAnswer {
  const isReport = path === '/peer/piece/suc' || path === '/peer/service/down';
  return isReport && status >= 500 ? successAnswer() : failureAnswer(code, message);
}

/** The path of a request without its query, which may hold what no log shows. */
export function pathOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

/** The query of a request as it was sent: the values of Go clients are not escaped. */
export function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** Refuses a request without an answer of a protocol: JSON with status and message. */
export function refuseRaw(response: ServerResponse, status: number, message: string): void {
  const body = `${JSON.stringify({ code: status, message })}\n`;
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}
