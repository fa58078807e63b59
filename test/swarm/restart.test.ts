import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { hexOf } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('a supernode that starts again', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  const start = (port: number): Promise<void> =>
    swarm.startSupernode({ index: 0, port, peers: [], signingKey: join(swarm.home, 'signing-key.pem') });
  const dataOf = (blob: Digest): string =>
    join(swarm.home, 'supernode-0/blobs/sha256', hexOf(blob).slice(0, 2), `${hexOf(blob)}.data`);

  it('gives what it has whole without a byte from the origin', async () => {
    const content = randomBytes(12 * MIB + 5);
    const blob = swarm.origin.add(content);
    await readAll(await swarm.addNode(), blob);
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    await start(port);
    const node = await swarm.addNode();
    expect(content.equals(await readAll(node, blob))).toBe(true);
    expect(node.traffic.supernode + node.traffic.peer).toBe(content.length);
    expect(swarm.origin.requests).toHaveLength(1);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('asks the origin only for the rest of what it has in part', async () => {
    const content = randomBytes(12 * MIB);
    const blob = swarm.origin.add(content);
    swarm.origin.fault = (_request, response) => {
      // Half of it, and then nothing more.
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 6 * MIB));
      return true;
    };
    const node = await swarm.addNode();
    const { signal } = new AbortController();
    const open = await node.open({ ...blob, headers: [] }, signal);
    let sum = 0;
    for await (const chunk of open.read({ from: 0 }, signal)) {
      sum += chunk.length;
      if (sum >= 5 * MIB) break;
    }
    open.release();
    await swarm.stopNode(node);
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    swarm.origin.fault = () => false;

    await start(port);
    const next = await swarm.addNode();
    expect(content.equals(await readAll(next, blob))).toBe(true);
    expect(next.traffic.origin).toBe(0);
    const [, second] = swarm.origin.requests;
    expect(Number(/^bytes=(\d+)-$/.exec(second?.headers.range ?? '')?.[1])).toBeGreaterThanOrEqual(5 * MIB);
    expect(swarm.origin.requests).toHaveLength(2);
  });

  it('finds a block that was damaged meanwhile, and asks the origin for it alone', async () => {
    const content = randomBytes(9 * MIB);
    const blob = swarm.origin.add(content);
    await readAll(await swarm.addNode(), blob);
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    const bytes = await readFile(dataOf(blob.blob));
    bytes[5_000_000] = bytes[5_000_000]! ^ 1;
    await writeFile(dataOf(blob.blob), bytes);
    await start(port);
    const node = await swarm.addNode();
    expect(content.equals(await readAll(node, blob))).toBe(true);
    expect(node.traffic.origin).toBe(0);
    // Block 17 is the second, of 512 KiB, of the second piece, which begins at 4 MiB less 5 bytes.
    expect(swarm.origin.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=4718587-5242874']);
    expect(content.equals(await readFile(dataOf(blob.blob)))).toBe(true);
  });
});
