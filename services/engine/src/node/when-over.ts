import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Calls `over` once when an answer is over, with the bytes that its client took; 0 when the client went away before it had all.
 *
 * @param request whose answer has not begun.
 */
export function whenOver(request: IncomingMessage, response: ServerResponse, over: (bytes: number) => void): void {
  const { socket } = request;
  const before = socket.bytesWritten;
  let taken = 0;
  response.once('finish', () => {
    // Of a connection that is closed already, what was left of it counts as written.
    if (!socket.destroyed) taken = socket.bytesWritten - before;
  });
  if (response.closed) over(0);
  else response.once('close', () => over(taken));
}
