import { createHash, randomBytes } from 'node:crypto';

import type { Digest } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('an origin whose bytes do not have the digest', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  const right = randomBytes(2 * MIB);
  const blob: Digest = `sha256:${createHash('sha256').update(right).digest('hex')}`;

  it('is asked once, however many nodes want the blob and however often, and nobody gets it as whole', async () => {
    const url = swarm.origin.addAt(`/v2/library/wrong/blobs/${blob}`, randomBytes(2 * MIB));
    const nodes = await Promise.all([1, 2, 3].map(() => swarm.addNode()));
    for (let round = 0; round < 3; round += 1) {
      const pulls = nodes.map((node) => readAll(node, { blob, url }));
      for (const { status } of await Promise.allSettled(pulls)) expect(status).toBe('rejected');
    }
    await expect(readAll(nodes[0]!, { blob, url })).rejects.toMatchObject({ reason: 'digest-mismatch' });
    expect(swarm.origin.requests.map(({ path }) => path)).toEqual([url.pathname]);
  });

  it('does not keep the blob from those who know another place', async () => {
    const wrong = swarm.origin.addAt(`/v2/library/wrong/blobs/${blob}`, randomBytes(2 * MIB));
    const url = swarm.origin.addAt(`/v2/library/right/blobs/${blob}`, right);
    const [one, two] = [await swarm.addNode(), await swarm.addNode()];
    await expect(readAll(one, { blob, url: wrong })).rejects.toMatchObject({ reason: 'digest-mismatch' });
    expect(right.equals(await readAll(two, { blob, url }))).toBe(true);
  });
});
