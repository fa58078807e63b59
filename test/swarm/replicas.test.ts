import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { ownerOf } from '../../services/supernode/src/replicas/rendezvous';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('several supernodes', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it.each([2, 3])('fetch each blob once, whichever of %d is asked', async (replicas) => {
    swarm = await Swarm.start(replicas);
    const contents = Array.from({ length: 6 }, () => randomBytes(2 * MIB));
    const blobs = contents.map((content) => swarm.origin.add(content));
    const ports = swarm.supernodePorts;
    // Each node has another supernode first in its list.
    const nodes = await Promise.all(
      ports.map((_, at) => swarm.addNode(undefined, [...ports.slice(at), ...ports.slice(0, at)])),
    );
    await Promise.all(
      blobs.map(async (blob, index) => {
        const copies = await Promise.all(nodes.map((node) => readAll(node, blob)));
        for (const copy of copies) expect(contents[index]?.equals(copy)).toBe(true);
      }),
    );
    expect(swarm.origin.requests).toHaveLength(blobs.length);
    expect(swarm.origin.bytesSent).toBe(6 * 2 * MIB);
  });

  it('have one session with a daemon, though they are configured by other names than they advertise', async () => {
    swarm = await Swarm.start(2, {}, '127.0.0.1', '127.0.0.2');
    const node = await swarm.addNode();
    const owners = new Set<string | undefined>();
    let blobs = 0;
    while (owners.size < 2) {
      await readAll(node, swarm.origin.add(randomBytes(2 * MIB)));
      blobs += 1;
      for (const line of swarm.lines)
        if (line.includes('"msg":"fetched"')) owners.add(/"supernode":(\d+)/.exec(line)?.[1]);
    }
    // Each of them has a session then, and has been told over it.
    await swarm.told(blobs, 2);
    expect(swarm.lines.filter((line) => line.includes('the session'))).toEqual([]);
    expect(swarm.origin.requests).toHaveLength(blobs);
  });

  it('leave a blob to the one that fetches it when its owner comes back meanwhile', async () => {
    swarm = await Swarm.start(2);
    const content = randomBytes(8 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const peers = swarm.supernodePorts.map((port) => ({ host: '127.0.0.1', port }));
    const owner = ownerOf(
      blob,
      peers.map(({ host, port }) => ({ name: `${host}:${port}`, port })),
    )!.port;
    const index = swarm.supernodePorts.indexOf(owner);
    const other = swarm.supernodePorts.find((port) => port !== owner)!;
    await swarm.stopSupernode(owner);
    swarm.origin.rate = 4 * MIB;
    const signingKey = join(swarm.home, 'signing-key.pem');
    const node = await swarm.addNode('first', [other, owner]);
    let begun: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const first = readAll(node, { blob, url }, { from: 0 }, () => begun());
    await beginning;
    await swarm.startSupernode({ index, port: owner, peers, signingKey });
    const second = readAll(await swarm.addNode('second', [owner, other]), { blob, url });
    for (const copy of await Promise.all([first, second])) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.requests).toHaveLength(1);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('are survived by a download when the owner dies in the middle, with at most two copies', async () => {
    swarm = await Swarm.start(2);
    const content = randomBytes(24 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all([swarm.addNode(), swarm.addNode(), swarm.addNode()]);
    let died: Promise<void> | undefined;
    const copies = await Promise.all(
      nodes.map((node) =>
        readAll(node, { blob, url }, { from: 0 }, (sum) => {
          if (sum > MIB) died ??= swarm.stopSupernode(swarm.ownerOf(blob));
        }),
      ),
    );
    await died;
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.bytesSent).toBeLessThanOrEqual(2 * content.length);
    expect(nodes.map(({ traffic }) => traffic.origin)).toEqual([0, 0, 0]);
  });
});
