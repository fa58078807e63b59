import { randomBytes } from 'node:crypto';

import { MAX_BLOCK, lineOf } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('what a peer claims to have', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

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
    const content = randomBytes(8 * MIB);
    const { blob, url } = swarm.origin.add(content);
    await swarm.addFalsePeer({ blob, url, blocks: 0 }, (_index, request) => request.socket.destroy(), says);
    const heldUp: number[] = [];
    for (let times = 0; times < 3; times += 1) {
      const node = await swarm.addNode();
      // By CPU: for how long others on this machine keep the process from it does not count.
      let [longest, before] = [0, process.cpuUsage()];
      const look = (): void => {
        const { user, system } = process.cpuUsage(before);
        longest = Math.max(longest, (user + system) / 1000);
        before = process.cpuUsage();
      };
      const looking = setInterval(look, 5);
      const bytes = await readAll(node, { blob, url });
      clearInterval(looking);
      look();
      expect(content.equals(bytes)).toBe(true);
      heldUp.push(longest);
    }
    // Garbage and compilers take the CPU of the process once; what a claim costs, it costs each daemon.
    const [, median] = heldUp.sort((one, other) => one - other);
    expect(median).toBeLessThan(400);
  });
});
