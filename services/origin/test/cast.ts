import type { RequestListener } from 'node:http';
import type { Certificate } from './certificate';
import type { OriginServer } from './origin-server';
import { serve } from './origin-server';

/** What a test file's tests play with; all of it is stopped after each test. */
export interface Cast {
  /** Starts a server, see {@link serve}. */
  readonly server: (handler: RequestListener, certificate?: Certificate) => Promise<OriginServer>;
  /** Keeps a part to be stopped. */
  readonly keep: <Part extends { stop(): Promise<void> }>(part: Part) => Part;
}

/** To be called once at the top of a test file. */
export function useCast(): Cast {
  const servers: OriginServer[] = [];
  const parts: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(parts.splice(0).map((part) => part.stop()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  return {
    server: async (handler, certificate) => {
      const server = await serve(handler, certificate);
      servers.push(server);
      return server;
    },
    keep: (part) => {
      parts.push(part);
      return part;
    },
  };
}
