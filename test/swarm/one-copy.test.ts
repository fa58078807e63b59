import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('one copy leaves the origin', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it.each([
    [1, 1],
    [4, 1],
    [16, 1],
    [1, 2],
    [4, 2],
    [1, 3],
    [4, 3],
  ])('for %d nodes and %d supernodes, byte for byte, while it and they are slow', async (count, replicas) => {
    swarm = await Swarm.start(replicas);
    swarm.origin.rate = 4 * MIB;
    const content = randomBytes(2 * MIB + 1);
    const { blob, url } = swarm.origin.add(content);
    // Slower than the origin: what a node may not take yet it must not fetch elsewhere.
    const limits = { downloadRate: 3 * MIB };
    const nodes = await Promise.all(Array.from({ length: count }, () => swarm.addNode(undefined, undefined, limits)));
    const copies = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('when it stands still in the middle, and the supernode goes on by Range', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.rate = 16 * MIB;
    swarm.origin.stallAt = 3 * MIB;
    const nodes = [await swarm.addNode(), await swarm.addNode(), await swarm.addNode()];
    const copies = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${3 * MIB}-`]);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('when it stands still for longer than daemons wait for a supernode that has more, and this one says that it waits', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.rate = 16 * MIB;
    swarm.origin.stallAt = 3 * MIB;
    const waits = { originFirstByteTimeout: 100 };
    const nodes = await Promise.all([1, 2, 3].map(() => swarm.addNode(undefined, undefined, waits)));
    let goOn: NodeJS.Timeout | undefined;
    swarm.origin.fault = (request, response) => {
      if (request.headers.range === undefined || goOn !== undefined) return false;
      // Connected, and without an answer for more than twice the time after which a node counts the swarm as stalled.
      goOn = setTimeout(() => response.destroy(), 1500);
      return true;
    };
    const copies = await Promise.all(nodes.map((node) => readAll(node, { blob, url })));
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(goOn).toBeDefined();
    expect(swarm.lines.join('')).not.toContain('asking the origin');
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('of more blobs than are fetched at a time, though one waits for its turn for longer than for a supernode that has more', async () => {
    swarm = await Swarm.start();
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    const signingKey = join(swarm.home, 'signing-key.pem');
    await swarm.startSupernode({ index: 0, port, peers: [], signingKey, originTurns: { each: 1 } });
    const node = await swarm.addNode(undefined, undefined, { originFirstByteTimeout: 500 });
    const contents = [randomBytes(1000), randomBytes(2000)];
    const blobs = contents.map((content) => swarm.origin.add(content));
    let askedBefore = 0;
    swarm.origin.fault = ({ url }, response) => {
      if (askedBefore > 0) return false;
      const content = contents.find((_, index) => blobs[index]?.url.pathname === url);
      // More than twice the time after which a node counts the swarm as stalled.
      setTimeout(() => {
        askedBefore = swarm.origin.requests.length;
        response.end(content);
      }, 2500);
      return true;
    };
    const copies = await Promise.all(blobs.map(async (blob) => readAll(node, blob)));
    expect(copies.map((copy, index) => contents[index]?.equals(copy))).toEqual([true, true]);
    expect([askedBefore, swarm.origin.requests.length]).toEqual([1, 2]);
    expect(swarm.lines.join('')).not.toContain('asking the origin');
  });

  it('when a token expires in the middle, and a daemon that still pulls has a newer one', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    let good = 'Bearer first';
    swarm.origin.rate = 16 * MIB;
    swarm.origin.stallAt = 3 * MIB;
    swarm.origin.fault = (request, response) => {
      if (request.headers.authorization === good) return false;
      response.writeHead(401).end();
      return true;
    };
    const [one, two] = [await swarm.addNode(), await swarm.addNode()];
    const first = readAll(one, { blob, url, headers: [['Authorization', 'Bearer first']] });
    let second: Promise<Buffer> | undefined;
    const third = readAll(two, { blob, url, headers: [['Authorization', 'Bearer first']] }, { from: 0 }, () => {
      // Its token is good for the rest: another client of the same node has just got it.
      good = 'Bearer second';
      second ??= readAll(two, { blob, url, headers: [['Authorization', 'Bearer second']] });
    });
    for (const copy of [await first, await third, await second])
      expect(content.equals(copy ?? Buffer.alloc(0))).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
    expect(swarm.lines.join('')).not.toContain('Bearer');
    const told = swarm.origin.requests.map(({ headers }) => [headers.authorization, headers.range]);
    expect(told).toEqual([
      ['Bearer first', undefined],
      ['Bearer first', `bytes=${3 * MIB}-`],
      ['Bearer second', expect.stringMatching(/^bytes=\d+-$/)],
    ]);
  });

  it('for a blob that is still on the supernode when it starts anew', async () => {
    swarm = await Swarm.start();
    const content = randomBytes(5 * MIB);
    const { blob, url } = swarm.origin.add(content);
    await readAll(await swarm.addNode(), { blob, url });
    await swarm.restartSupernode();
    expect(content.equals(await readAll(await swarm.addNode(), { blob, url }))).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });
});
