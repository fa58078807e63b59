import { createHash, randomBytes } from 'node:crypto';

import { BLOCK_HASH_HEADER, BlockSet, lineOf } from '@cdk8s-dragonfly/protocol';

import { FalsePeer } from './false-peer';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('the only supernode is lost in the middle', () => {
  let swarm: Swarm;
  const falsePeers: FalsePeer[] = [];
  afterEach(async () => {
    await Promise.all(falsePeers.splice(0).map((peer) => peer.stop()));
    await swarm.stop();
  });

  it.each([3, 8])(
    'and %d nodes share what they fetch of the rest',
    async (count) => {
      swarm = await Swarm.start();
      swarm.origin.rate = 12 * MIB;
      const content = randomBytes(12 * MIB);
      const { blob, url } = swarm.origin.add(content);
      const nodes = await Promise.all(Array.from({ length: count }, () => swarm.addNode()));
      let died: Promise<void> | undefined;
      const copies = await Promise.all(
        nodes.map((node) =>
          readAll(node, { blob, url }, { from: 0 }, (sum) => {
            if (sum > content.length / 4) died ??= swarm.stopSupernode();
          }),
        ),
      );
      await died;
      for (const copy of copies) expect(content.equals(copy)).toBe(true);
      expect(nodes.reduce((sum, { traffic }) => sum + traffic.peer, 0)).toBeGreaterThan(content.length);
      // Each for itself would fetch all that the supernode had not brought.
      expect(swarm.origin.bytesSent).toBeLessThan(2 * content.length);
    },
    60_000,
  );

  it('and a neighbour gives wrong blocks: none of them leaves a node, and the right ones come from the origin', async () => {
    swarm = await Swarm.start();
    swarm.origin.rate = 6 * MIB;
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const wrong = randomBytes(MIB);
    const says = (): string[] => {
      const all = BlockSet.of(Array.from({ length: 18 }, (_, index) => index)).toBase64();
      return [lineOf({ type: 'have', blocks: '', unattested: all })];
    };
    const answer = (index: number, _request: unknown, response: import('node:http').ServerResponse): void => {
      const bytes = wrong.subarray(0, index < 16 ? (index === 15 ? 262_139 : 262_144) : MIB);
      const hash = createHash('sha256').update(bytes).digest('hex');
      response.writeHead(200, { [BLOCK_HASH_HEADER]: hash, 'content-length': bytes.length }).end(bytes);
    };
    const liar = await FalsePeer.join(swarm.supernodePort, { blob, url, blocks: 18 }, answer, says);
    falsePeers.push(liar);
    const node = await swarm.addNode();
    let died: Promise<void> | undefined;
    let at = 0;
    const copy = await readAll(node, { blob, url }, { from: 0 }, (sum) => {
      died ??= swarm.stopSupernode();
      at = sum;
    });
    await died;
    expect(liar.asked.length).toBeGreaterThan(0);
    expect(at).toBe(content.length);
    expect(content.equals(copy)).toBe(true);
    expect(swarm.lines.join('')).toContain('what neighbours had from there does not fit together');
  });
});
