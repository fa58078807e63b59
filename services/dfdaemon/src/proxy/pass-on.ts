import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

import type { Connections } from '@cdk8s-dragonfly/origin';
import { endToEndHeaders, headerLinesOf, rawHeadersOf, withoutHeaders } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** Of the hop between client and proxy, beside those that are no end-to-end headers at all. */
const OF_THIS_HOP = ['host', 'expect'];

/**
 * Passes a request on to where it is meant for, its body included, and the answer back: what is no pull. Resolves when the answer has
 * been passed on.
 *
 * @param path path and query.
 * @param idle how long nothing may come, in milliseconds.
 * @throws Error when there is no answer (then `response` has no head yet) or it ends early (then `response` is destroyed).
 */
export async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { connections, to, path, idle }: { connections: Connections; to: URL; path: string; idle: number },
): Promise<void> {
  const lines = withoutHeaders(endToEndHeaders(headerLinesOf(request.rawHeaders)), OF_THIS_HOP);
  const outgoing = connections.request(request.method ?? 'GET', to, path, [...lines, ...framing(request)]);
  outgoing.setTimeout(idle, () => outgoing.destroy(new Error(`nothing came for ${idle / 1000} s`)));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject);
    outgoing.once('close', () => reject(new Error('the connection closed without an answer')));
  });
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  // The answer may come before the end of the body, whose fate is of no matter any more then.
  const sent = sendBody(request, outgoing).catch((error: unknown) => {
    outgoing.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  const answer = await answered;
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage,
    rawHeadersOf(endToEndHeaders(headerLinesOf(answer.rawHeaders))),
  );
  await pipeline(answer, response);
  await sent;
}

async function sendBody(request: IncomingMessage, outgoing: ClientRequest): Promise<void> {
  if (hasBody(request)) await pipeline(request, outgoing);
  else outgoing.end();
}

/** Whether a body follows the head (RFC 9112, 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** Says explicitly how the body is framed: Node would not for every method. */
function framing({ headers, method = '' }: IncomingMessage): HeaderLine[] {
  if (headers['transfer-encoding'] !== undefined) return [['Transfer-Encoding', 'chunked']];
  const expectsOne = ['POST', 'PUT', 'PATCH'].includes(method);
  return headers['content-length'] === undefined && expectsOne ? [['Content-Length', '0']] : [];
}
