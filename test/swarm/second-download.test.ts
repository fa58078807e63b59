import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { BlobStore } from '@cdk8s-dragonfly/store';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

/** Keeps a method of every store waiting, as a slow disk does, until the function that comes back is called. */
function slow(method: 'remove'): () => void {
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (go = resolve));
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const real = BlobStore.prototype[method];
  jest.spyOn(BlobStore.prototype, method).mockImplementation(async function (this: BlobStore, blob) {
    await gate;
    await real.call(this, blob);
  });
  return go;
}

describe('a blob that is wanted again while its download puts all in order', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await swarm.stop();
  });

  it('is read from there, without another registration or another check of the whole', async () => {
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    await readAll(node, { blob, url });
    // Its reader has all; its files are not safe on disk yet.
    const { signal } = new AbortController();
    const again = await node.open({ blob, url, headers: [] }, signal);
    expect(again.traffic).toEqual({ local: content.length, peer: 0, supernode: 0, origin: 0 });
    again.release();
    await swarm.stopNode(node);
    expect(swarm.lines.filter((line) => line.includes('"msg":"downloaded"'))).toHaveLength(1);
  });

  it('is fetched anew only when what was wrong of it is gone from the disk', async () => {
    const right = randomBytes(2 * MIB);
    const { blob, url } = swarm.origin.add(right);
    swarm.origin.addAt(url.pathname, randomBytes(2 * MIB));
    await swarm.stopSupernode();
    const node = await swarm.addNode('alone', []);
    const letItGo = slow('remove');
    await expect(readAll(node, { blob, url })).rejects.toMatchObject({ reason: 'digest-mismatch' });
    swarm.origin.addAt(url.pathname, right);
    const anew = readAll(node, { blob, url });
    await nextTurn();
    letItGo();
    expect(right.equals(await anew)).toBe(true);
    expect(await node.heldBytes(blob)).toBe(right.length);
  });
});
