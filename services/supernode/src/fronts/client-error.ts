import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Log } from '@cdk8s-dragonfly/command';
import { RESULT_CODE } from '@cdk8s-dragonfly/protocol';

import { REQUEST_ID_HEADER } from './request-id';

/** How long the answer to a broken request may take to leave, in ms. */
const LINGER = 1000;

interface Fault {
  readonly status: number;
  readonly message: string;
}

/** Answers what is no request, with an id as requests have it, and says so in the log. */
export function clientErrors(
  idOf: (request: Pick<IncomingMessage, 'headers'>) => string,
  log: Pick<Log, 'debug'>,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    // What its head says cannot be told.
    const id = idOf({ headers: {} });
    const status = answerClientError(error, socket, id);
    if (status !== undefined) log.debug({ request: id, status, why: error.code }, 'no request');
  };
}

/**
 * Answers a request that is no HTTP, too long or too slow (RFC 9110, 15.5.1, 15.5.9; RFC 6585, 5), and closes its connection.
 *
 * @returns the status of the answer; undefined: there is none, since the client is gone, or in the middle of another answer.
 */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket, id: string): number | undefined {
  // A connection that is closed without a request is usual (Dragonfly 0.x protocol, T22).
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
    socket.destroy();
    return undefined;
  }
  const { status, message } = faultOf(error.code);
  const body = `${JSON.stringify({ code: RESULT_CODE.illegalParameter, message })}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID_HEADER}: ${id}`,
    'Connection: close',
  ];
  socket.setTimeout(LINGER, () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  return status;
}

/** Whether a part of an answer is out: what we would add is taken for more of it. Node.js has no other way to tell (`http`, event `clientError`). */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage?.headersSent === true;
}

function faultOf(code: string | undefined): Fault {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'the head of the request is too long' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'the request did not come in time' };
    case undefined:
    default:
      return { status: 400, message: 'this is not a request of HTTP/1.1' };
  }
}
