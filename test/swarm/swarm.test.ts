import { randomBytes } from 'node:crypto';

import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('a swarm', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it.each([1, 2, 4])('brings a blob to %d nodes at once with one copy from the origin', async (count) => {
    const content = randomBytes(20 * MIB + 77);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all(Array.from({ length: count }, () => swarm.addNode()));
    const results = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const result of results) expect(content.equals(result)).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
    expect(swarm.origin.requests).toHaveLength(1);
    const fromSupernode = nodes.reduce((sum, { traffic }) => sum + traffic.supernode, 0);
    const fromPeers = nodes.reduce((sum, { traffic }) => sum + traffic.peer, 0);
    expect(fromSupernode + fromPeers).toBe(count * content.length);
    expect(fromSupernode).toBeLessThanOrEqual(1.5 * content.length);
    expect(nodes.map(({ traffic }) => traffic.origin)).toEqual(nodes.map(() => 0));
  });

  it('serves what is on disk without asking anybody, and any part of it', async () => {
    const content = randomBytes(9 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    await readAll(node, { blob, url });
    await swarm.stopSupernode();
    const part = await readAll(node, { blob, url }, { from: 5_000_000, end: 5_000_100 });
    expect(content.subarray(5_000_000, 5_000_100).equals(part)).toBe(true);
    expect(node.traffic.local).toBe(100);
    expect(swarm.origin.requests).toHaveLength(1);
  });

  it.each([0, 1, 262_144, 4_194_299, 4_194_300])('brings a blob of %d bytes', async (size) => {
    const content = randomBytes(size);
    const { blob, url } = swarm.origin.add(content);
    expect(content.equals(await readAll(await swarm.addNode(), { blob, url }))).toBe(true);
  });

  it("passes the origin's refusal on before the first byte", async () => {
    const { blob, url } = swarm.origin.add(randomBytes(1000));
    swarm.origin.fault = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="x"' }).end();
      return true;
    };
    const node = await swarm.addNode();
    await expect(readAll(node, { blob, url })).rejects.toMatchObject({ reason: 'origin-status', status: 401 });
    swarm.origin.fault = () => false;
    // The same would be refused for a few seconds without a question; whoever has credentials is another.
    const headers: HeaderLine[] = [['Authorization', 'Bearer good']];
    expect(await readAll(node, { blob, url, headers })).toHaveLength(1000);
  });

  it('never ends a blob whose bytes do not have its digest', async () => {
    const { blob, url } = swarm.origin.add(randomBytes(3 * MIB));
    swarm.origin.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': 3 * MIB }).end(randomBytes(3 * MIB));
      return true;
    };
    const node = await swarm.addNode();
    let received = 0;
    const reading = readAll(node, { blob, url }, { from: 0 }, (sum) => {
      received = sum;
    });
    await expect(reading).rejects.toMatchObject({ reason: 'digest-mismatch' });
    expect(received).toBeLessThan(3 * MIB);
  });

  it('goes on from neighbours and the origin when the supernode dies in the middle', async () => {
    const content = randomBytes(24 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const nodes = [await swarm.addNode(), await swarm.addNode()];
    let died: Promise<void> | undefined;
    const results = await Promise.all(
      nodes.map((node) =>
        readAll(node, { blob, url }, { from: 0 }, (sum) => {
          if (sum > 2 * MIB) died ??= swarm.stopSupernode();
        }),
      ),
    );
    await died;
    for (const result of results) expect(content.equals(result)).toBe(true);
  });

  it('registers again at a supernode that has forgotten it', async () => {
    const content = randomBytes(12 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    let forgotten: Promise<void> | undefined;
    const result = await readAll(node, { blob, url }, { from: 0 }, async (sum) => {
      if (sum < MIB || forgotten !== undefined) return;
      forgotten = swarm.restartSupernode();
      await forgotten;
    });
    expect(content.equals(result)).toBe(true);
  });

  it('asks the origin when there is no supernode', async () => {
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode('alone', [1]);
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    expect(node.traffic.origin).toBe(content.length);
    await expect(
      readAll(node, { ...swarm.origin.add(randomBytes(5)), url: new URL('/none', url) }),
    ).rejects.toMatchObject({
      reason: 'origin-status',
      status: 404,
    });
  });
});
