import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';

import { BlobStore } from '@cdk8s-dragonfly/store';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('the length of a blob', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('is not 0 because the origin says so', async () => {
    const { blob, url } = swarm.origin.add(randomBytes(1000));
    swarm.origin.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': 0 }).end();
      return true;
    };
    const node = await swarm.addNode();
    await expect(readAll(node, { blob, url })).rejects.toMatchObject({ reason: 'digest-mismatch' });
  });

  it('that a file on disk was begun with, and was wrong, does no harm', async () => {
    const content = randomBytes(1000);
    const { blob, url } = swarm.origin.add(content);
    const store = await BlobStore.open(join(swarm.home, 'begun'));
    await (await store.create(blob, 4 * MIB, 900)).release();
    await store.stop();
    const node = await swarm.addNode('begun');
    const { signal } = new AbortController();
    const open = await node.open({ blob, url, headers: [] }, signal);
    expect([undefined, 1000]).toContain(open.size);
    open.release();
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    await swarm.stopNode(node);
    const again = await swarm.addNode('begun');
    expect(content.equals(await readAll(again, { blob, url }))).toBe(true);
    expect(again.traffic.origin).toBe(0);
  });

  it.each(['with', 'without'])('unknown beforehand costs one request of the origin, %s a supernode', async (how) => {
    const content = randomBytes(5 * MIB + 77);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.fault = (_request, response) => {
      response.writeHead(200);
      response.end(content);
      return true;
    };
    const node = how === 'with' ? await swarm.addNode() : await swarm.addNode('alone', [1]);
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    expect(swarm.origin.requests).toHaveLength(1);
    expect(swarm.lines.filter((line) => line.includes('damaged'))).toEqual([]);
  });
  describe('of an empty blob', () => {
    let silent: Server;
    let ports: Readonly<Record<string, readonly number[]>>;
    beforeEach(async () => {
      silent = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      const { port } = silent.address() as AddressInfo;
      ports = { a: swarm.supernodePorts, 'a lost': [1], 'a silent': [port], no: [] };
    });
    afterEach(() => silent.close());

    it.each([
      ['a', [undefined]],
      ['a lost', [undefined]],
      ['a silent', ['bytes=0-262143', undefined]],
      ['no', [undefined]],
    ])('is taken from an origin that has no range of it: %s supernode', async (which, ranges) => {
      const { blob, url } = swarm.origin.add(Buffer.alloc(0));
      const node = await swarm.addNode('node', [...(ports[which] ?? [])]);
      expect(await readAll(node, { blob, url })).toHaveLength(0);
      expect(swarm.origin.requests.map(({ headers }) => headers.range)).toEqual(ranges);
    });

    it('is its end where the origin does not tell it', async () => {
      const { blob, url } = swarm.origin.add(Buffer.alloc(0));
      swarm.origin.fault = (_request, response) => {
        response.writeHead(200).flushHeaders();
        response.end();
        return true;
      };
      const node = await swarm.addNode('node', [...(ports['a silent'] ?? [])]);
      expect(await readAll(node, { blob, url })).toHaveLength(0);
      expect(swarm.origin.requests).toHaveLength(1);
    });
  });
});
