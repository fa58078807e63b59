import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { OriginRules } from '@cdk8s-dragonfly/origin';
import { NATIVE_VERSION, RESULT_CODE, failureAnswer } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

import { SwarmNode } from '../src/node/swarm-node';

describe('a download that waits for its turn at a supernode', () => {
  const blob: Digest = `sha256:${'ab'.repeat(32)}`;
  let home: string;
  let supernode: Server;
  /** Resolves when it has told the node to come in a minute. */
  let told: Promise<void>;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'turn-'));
    told = new Promise((resolve) => {
      supernode = createServer((request, response) => {
        request.resume();
        if (request.url !== '/peer/registry') {
          response.end('OK');
          return;
        }
        const answer = failureAnswer(RESULT_CODE.waitAuth, 'come again', { version: NATIVE_VERSION, later: 60_000 });
        response.end(JSON.stringify(answer), resolve);
      }).listen(0, '127.0.0.1');
    });
    await once(supernode, 'listening');
  });
  afterEach(async () => {
    supernode.closeAllConnections();
    supernode.close();
    await rm(home, { recursive: true, force: true });
  });

  it('ends at once when the node stops', async () => {
    const node = await SwarmNode.start({
      dataDir: home,
      supernodes: [{ host: '127.0.0.1', port: (supernode.address() as AddressInfo).port }],
      peers: { host: '127.0.0.1', port: 0 },
      originRules: new OriginRules({}),
      connectTimeout: 1000,
      peerStallTimeout: 1000,
      supernodeSilence: 1000,
      originFirstByteTimeout: 60_000,
      originStallTimeout: 60_000,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
    const url = new URL(`http://127.0.0.1:9/v2/a/blobs/${blob}`);
    const opened = node.open({ blob, url, headers: [] }, new AbortController().signal).catch((error: unknown) => error);
    await told;
    // Without an end to its wait it stops after a minute.
    await node.stop();
    expect(await opened).toMatchObject({ message: 'the daemon is stopping' });
  });
});
