import type { Server, Socket } from 'node:net';

import type { FrontLimits } from './limits';

/** The open connections of a server, and which of them are too many. */
export class ConnectionCount {
  private count = 0;
  private readonly surplus = new WeakSet<Socket>();

  constructor(server: Server, { connections, spareConnections }: FrontLimits) {
    server.maxConnections = connections + spareConnections;
    server.on('connection', (socket: Socket) => {
      this.count += 1;
      if (this.count > connections) this.surplus.add(socket);
      socket.once('close', () => (this.count -= 1));
    });
  }

  get open(): number {
    return this.count;
  }

  /** Whether the connection came when as many as are served were open. */
  isSurplus(socket: Socket): boolean {
    return this.surplus.has(socket);
  }
}
