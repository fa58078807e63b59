import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';

import { blockPath } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('a client that does not wait for answers', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it.each(['daemon', 'supernode'])(
    'cannot make a %s hold many blocks in memory by requests that do not wait',
    async (who) => {
      const content = randomBytes(8 * MIB);
      const { blob, url } = swarm.origin.add(content);
      const node = await swarm.addNode();
      await readAll(node, { blob, url });
      const port = who === 'daemon' ? node.peerPort : swarm.blocksPort;
      const before = process.memoryUsage().rss;
      const socket = createConnection({ host: '127.0.0.1', port }).on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(`GET ${blockPath(blob, 17)} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(400));
      let most = 0;
      for (const end = performance.now() + 1500; performance.now() < end && !socket.destroyed;) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      socket.destroy();
      expect(most / MIB).toBeLessThan(100);
    },
  );
});
