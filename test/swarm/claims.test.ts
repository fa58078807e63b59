import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { MAX_BLOCK, lineOf } from '@cdk8s-dragonfly/protocol';

import { FalsePeer } from './false-peer';
import { Swarm, readAll } from './swarm';

type FromSecond<T extends unknown[]> = T extends [unknown, ...infer R] ? R : never;

const MIB = 1024 * 1024;

describe('what a peer claims to have', () => {
  let swarm: Swarm;
  const falsePeers: FalsePeer[] = [];
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(async () => {
    await Promise.all(falsePeers.splice(0).map((peer) => peer.stop()));
    await swarm.stop();
  });

  async function falsePeer(...args: FromSecond<Parameters<typeof FalsePeer.join>>): Promise<void> {
    falsePeers.push(await FalsePeer.join(swarm.supernodePort, ...args));
  }

  it.each([
    ['one block far beyond the end', (): string[] => [lineOf({ type: 'added', blocks: [MAX_BLOCK] })]],
    [
      'all blocks there can be, again and again',
      (): string[] =>
        Array.from({ length: 20 }, () =>
          lineOf({ type: 'have', blocks: Buffer.alloc((MAX_BLOCK + 1) / 8, 255).toString('base64') }),
        ),
    ],
  ])('cannot hold up a daemon by claiming %s', async (_what, says) => {
    const content = randomBytes(24 * MIB);
    const { blob, url } = swarm.origin.add(content);
    await falsePeer({ blob, url, blocks: 0 }, (_index, request) => request.socket.destroy(), says);
    const node = await swarm.addNode();
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const bytes = await readAll(node, { blob, url });
    delay.disable();
    expect(content.equals(bytes)).toBe(true);
    expect(delay.max / 1e6).toBeLessThan(400);
  });
});
