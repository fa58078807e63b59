import { randomBytes } from 'node:crypto';

import type { BlobRequest } from '@cdk8s-dragonfly/engine';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('credentials', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('of one daemon that are refused do not spoil a blob for those whose are good', async () => {
    const content = randomBytes(4 * MIB);
    const { blob, url } = swarm.origin.add(content);
    let admitted: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (admitted = resolve));
    swarm.origin.fault = (request, response) => {
      if (request.headers.authorization === 'Bearer good') return false;
      admitted?.();
      setTimeout(() => response.writeHead(401).end(), 300);
      return true;
    };
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => swarm.addNode()));
    const refused = readAll(first!, { blob, url }).catch((error: unknown) => error);
    await asked;
    const results = await Promise.all(
      others.map((node) => readAll(node, { blob, url, headers: [['Authorization', 'Bearer good']] })),
    );
    for (const result of results) expect(content.equals(result)).toBe(true);
    await refused;
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('that are good are kept when somebody without any joins', async () => {
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.fault = (request, response) => {
      if (request.headers.authorization === 'Bearer good') return false;
      response.writeHead(401).end();
      return true;
    };
    // The rest has to be asked for anew.
    swarm.origin.stallAt = 2 * MIB;
    const node = await swarm.addNode('alone', []);
    let joined: Promise<Buffer> | undefined;
    const first = await readAll(node, { blob, url, headers: [['Authorization', 'Bearer good']] }, { from: 0 }, () => {
      joined ??= readAll(node, { blob, url });
    });
    expect(content.equals(first)).toBe(true);
    expect((await joined)?.equals(content)).toBe(true);
    expect(swarm.origin.requests.length).toBeGreaterThan(1);
  });

  it('that are refused leave a daemon that has a part of the blob in its swarm, until those of another are good', async () => {
    const content = randomBytes(8 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const withToken = (token: string): BlobRequest => ({ blob, url, headers: [['Authorization', `Bearer ${token}`]] });
    swarm.origin.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 4 * MIB));
      return true;
    };
    const before = await swarm.addNode('first');
    const open = await before.open(withToken('old'), new AbortController().signal);
    for await (const chunk of open.read({ from: 3 * MIB - 1 }, new AbortController().signal))
      if (chunk.length > 0) break;
    open.release();
    await swarm.stopNode(before);
    await swarm.restartSupernode('empty');

    const waits: { resolve?: () => void } = {};
    const goesOn = new Promise<void>((resolve) => (waits.resolve = resolve));
    let asked = 0;
    swarm.origin.fault = ({ headers }, response) => {
      if (headers.authorization === 'Bearer good') return false;
      asked += 1;
      if (asked <= 1) response.writeHead(401).end();
      // Its own question, which is never answered.
      else waits.resolve?.();
      return true;
    };
    await expect(readAll(await swarm.addNode(), withToken('old'))).rejects.toThrow('401');
    // The supernode asks nobody: the origin has just refused these.
    const first = await swarm.addNode('first');
    const reading = readAll(first, withToken('old'));
    await goesOn;
    const second = await readAll(await swarm.addNode(), withToken('good'));
    for (const copy of [second, await reading]) expect(content.equals(copy)).toBe(true);
    expect(first.traffic.origin).toBe(0);
    // The first 3 MiB came from who had them; one byte more was asked for, as that tells how long the blob is.
    expect(swarm.origin.bytesSent).toBeLessThanOrEqual(5 * MIB + 1);
  });
});
