import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BLOCK_HASH_HEADER, BLOCK_SIGNATURE_HEADER, blockPath, hexOf } from '@cdk8s-dragonfly/protocol';

import type { FalseAnswer } from './false-peer';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('faults of others and of the disk', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  const garbage: FalseAnswer = (_index, _request, response) => {
    response.writeHead(200, { 'content-length': 262_144 }).end(randomBytes(262_144));
  };
  const forged: FalseAnswer = (_index, _request, response) => {
    const headers = {
      [BLOCK_HASH_HEADER]: '00'.repeat(32),
      [BLOCK_SIGNATURE_HEADER]: Buffer.alloc(64).toString('base64'),
    };
    response.writeHead(200, headers).end(randomBytes(262_144));
  };
  const endless: FalseAnswer = (_index, _request, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (!response.destroyed && response.write(randomBytes(65_536)));
    };
    response.on('drain', more);
    more();
  };
  const nothing: FalseAnswer = (_index, request) => request.socket.destroy();
  const broken: FalseAnswer = (_index, request, response) => {
    response.writeHead(200, { 'content-length': 262_144 }).write(randomBytes(1000), () => request.socket.destroy());
  };

  it.each([
    // All at once: each node waits for two seconds before it asks the supernode for what was its peer's to bring.
    ['send garbage, forge attestations, close connections, or break off', { garbage, forged, nothing, broken }],
    ['never end', { endless }],
  ])('does without peers that %s', async (_what, answers: Readonly<Record<string, FalseAnswer>>) => {
    const outcomes = await Promise.all(
      Object.entries(answers).map(async ([what, answer]) => {
        const content = randomBytes(6 * MIB);
        const { blob, url } = swarm.origin.add(content);
        const peer = await swarm.addFalsePeer({ blob, url, blocks: 18 }, answer);
        const node = await swarm.addNode();
        const copy = await readAll(node, { blob, url });
        const requests = swarm.origin.requests.filter(({ path }) => path === url.pathname).length;
        return {
          what,
          isRight: content.equals(copy),
          wasAsked: peer.asked.length > 0,
          traffic: node.traffic,
          requests,
        };
      }),
    );
    const traffic = { local: 0, peer: 0, supernode: 6 * MIB, origin: 0 };
    expect(outcomes).toEqual(
      Object.keys(answers).map((what) => ({ what, isRight: true, wasAsked: true, traffic, requests: 1 })),
    );
  });

  it('does not take a block of one blob for one of another', async () => {
    const [one, two] = [randomBytes(6 * MIB), randomBytes(6 * MIB)];
    const [first, second] = [swarm.origin.add(one), swarm.origin.add(two)];
    const honest = await swarm.addNode();
    await readAll(honest, first);
    const peer = await swarm.addFalsePeer({ ...second, blocks: 18 }, (index, _request, response) => {
      // A genuine, attested block of the other blob.
      void fetch(`http://127.0.0.1:${honest.peerPort}${blockPath(first.blob, index)}`).then(async (answer) => {
        response.writeHead(200, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
      });
    });
    const node = await swarm.addNode();
    expect(two.equals(await readAll(node, second))).toBe(true);
    expect(peer.asked.length).toBeGreaterThan(0);
    expect(node.traffic.peer).toBe(0);
  });

  it('fetches a block anew that was damaged on disk, before a reader or a neighbour gets it', async () => {
    const content = randomBytes(5 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const before = await swarm.addNode('damaged');
    await readAll(before, { blob, url });
    await swarm.stopNode(before);
    const file = join(swarm.home, 'damaged/blobs/sha256', hexOf(blob).slice(0, 2), `${hexOf(blob)}.data`);
    const bytes = await readFile(file);
    bytes[300_000] = bytes[300_000]! ^ 1;
    await writeFile(file, bytes);

    const after = await swarm.addNode('damaged');
    const damaged = await fetch(`http://127.0.0.1:${after.peerPort}${blockPath(blob, 1)}`);
    expect(damaged.status).toBe(404);
    const intact = await fetch(`http://127.0.0.1:${after.peerPort}${blockPath(blob, 0)}`);
    expect(content.subarray(0, 262_144).equals(Buffer.from(await intact.arrayBuffer()))).toBe(true);
    expect(content.equals(await readAll(after, { blob, url }))).toBe(true);
    expect(after.traffic.supernode).toBe(262_144);
    expect(swarm.origin.requests).toHaveLength(1);
  });

  it('resumes a blob that an earlier process left in the middle', async () => {
    const content = randomBytes(8 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const first = await swarm.addNode('resumed');
    const stopping = new AbortController();
    const open = await first.open({ blob, url, headers: [] }, stopping.signal);
    for await (const chunk of open.read({ from: 0 }, stopping.signal)) {
      expect(chunk.length).toBe(262_144);
      break;
    }
    open.release();
    await swarm.stopNode(first);
    const brought = first.traffic.supernode;
    const second = await swarm.addNode('resumed');
    expect(content.equals(await readAll(second, { blob, url }))).toBe(true);
    expect(second.traffic.supernode).toBeLessThanOrEqual(content.length - Math.min(brought, content.length));
    expect(brought).toBeGreaterThan(0);
  });
});
