import type { SupernodeOptions } from '../../src';
import { whole } from '../classic/fixture';
import { RawSocket } from './raw-socket';
import { Running } from './running';

/** A supernode with limits, and connections to it that end with the test. */
export interface Limited {
  readonly running: Running;
  /** Opens a connection to one of its ports. */
  open(port: number): Promise<RawSocket>;
}

/** A supernode of its own for each test of this file. */
export function limited(limits: SupernodeOptions['limits']): Limited {
  let running: Running | undefined;
  let sockets: RawSocket[] = [];

  beforeEach(async () => {
    running = await Running.start(whole(Buffer.from('content')), { limits });
  });
  afterEach(async () => {
    for (const socket of sockets) socket.end();
    sockets = [];
    await running?.stop();
  });

  return {
    get running() {
      if (running === undefined) throw new Error('not started');
      return running;
    },
    async open(port) {
      const socket = await RawSocket.open(port);
      sockets.push(socket);
      return socket;
    },
  };
}
