import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';

import { checkEvery } from './limits';
import type { FrontLimits } from './limits';

/** A server with these limits. */
export function httpServer(limits: FrontLimits, listener: RequestListener): Server {
  const { headerBytes, requestTimeout, idle } = limits;
  const options = {
    maxHeaderSize: headerBytes,
    headersTimeout: requestTimeout,
    requestTimeout,
    connectionsCheckingInterval: checkEvery(limits),
    // One timer a connection, which each byte sets back. Node.js would make two more for each request, and with thousands of connections these
    // live until they are old: marking what is left of them takes the only core for a fifth of a second every few seconds.
    keepAliveTimeout: 0,
  };
  return createServer(options, listener).setTimeout(idle);
}
