import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The header field with the id of a request, in requests and answers. */
export const REQUEST_ID_HEADER = 'x-request-id';

const SANE = /^[A-Za-z0-9._:-]{1,64}$/;

/** Gives each request an id for the log: the client's own, if it can stand in a log, else a new one. */
export function requestIds(): (request: Pick<IncomingMessage, 'headers'>) => string {
  const process = randomBytes(4).toString('hex');
  let count = 0;
  return ({ headers }) => {
    const given = headers[REQUEST_ID_HEADER];
    if (typeof given === 'string' && SANE.test(given)) return given;
    count += 1;
    return `${process}-${count.toString(36)}`;
  };
}
