import { randomBytes } from 'node:crypto';

import type { FalseAnswer } from './false-peer';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

const trickle: FalseAnswer = (_index, _request, response) => {
  response.writeHead(200, { 'content-length': 262_144 }).write('x');
  const timer = setInterval(() => response.write('x'), 300);
  response.once('close', () => clearInterval(timer));
};

describe('peers that send a byte now and then', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('do not stop a download, however many they are', async () => {
    const content = randomBytes(10 * MIB);
    const { blob, url } = swarm.origin.add(content);
    for (let count = 0; count < 9; count += 1) await swarm.addFalsePeer({ blob, url, blocks: 22 }, trickle);
    const node = await swarm.addNode();
    const began = performance.now();
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    expect(performance.now() - began).toBeLessThan(8000);
    expect(swarm.origin.requests).toHaveLength(1);
  });

  it('do not keep a daemon from the origin once the supernode is lost', async () => {
    const content = randomBytes(10 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.fault = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, MIB));
      return true;
    };
    const node = await swarm.addNode();
    await swarm.addFalsePeer({ blob, url, blocks: 22 }, trickle);
    const began = performance.now();
    let died: Promise<void> | undefined;
    const bytes = await readAll(node, { blob, url }, { from: 0 }, () => {
      swarm.origin.fault = () => false;
      died ??= swarm.stopSupernode();
    });
    await died;
    expect(content.equals(bytes)).toBe(true);
    expect(performance.now() - began).toBeLessThan(8000);
  });
});
