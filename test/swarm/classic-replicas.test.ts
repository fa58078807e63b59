import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import { taskIdOf } from '@cdk8s-dragonfly/protocol';

import { ownerOf } from '../../services/supernode/src/replicas/rendezvous';
import { OriginalClient } from '../../services/supernode/test/classic/original-client';
import type { OriginalClientOptions } from '../../services/supernode/test/classic/original-client';
import { GO, PYTHON } from '../../services/supernode/test/classic/original-style';
import { ReplicaProcesses } from './replica-processes';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

let clients = 0;

function client(api: number, url: URL, rest: Partial<OriginalClientOptions> = {}): OriginalClient {
  clients += 1;
  return new OriginalClient({ style: GO, api, url: url.href, cid: `127.0.0.1-${clients}-1795406219.563`, ...rest });
}

describe('original clients and several supernodes', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it.each([2, 3])('take one copy from the origin, together with nodes, over %d of them', async (count) => {
    swarm = await Swarm.start(count);
    const { origin, supernodePorts: ports } = swarm;
    const content = randomBytes(9 * MIB);
    const { blob, url } = origin.add(content);
    const plain = randomBytes(6 * MIB);
    const plainUrl = origin.addAt('/plain.bin', plain);
    const node = await swarm.addNode();
    const downloads = await Promise.all(
      ports.flatMap((port) => [
        client(port, url).download(),
        client(port, url, { style: PYTHON }).download(),
        client(port, plainUrl).download(),
        client(port, plainUrl, { style: PYTHON }).download(),
      ]),
    );
    expect(content.equals(await readAll(node, { blob, url }))).toBe(true);
    for (const [index, download] of downloads.entries()) {
      expect(download.content.equals(index % 4 < 2 ? content : plain)).toBe(true);
    }
    expect(origin.requests.map(({ path }) => path).sort()).toEqual([plainUrl.pathname, url.pathname].sort());
    expect(origin.bytesSent).toBe(content.length + plain.length);
  });

  it('are told by the owner where its pieces are', async () => {
    swarm = await Swarm.start(2);
    const content = randomBytes(MIB);
    const url = swarm.origin.addAt('/told.bin', content);
    const replicas = swarm.supernodePorts.map((port) => ({ name: `127.0.0.1:${port}`, port }));
    const owner = ownerOf(`task:${taskIdOf({ taskUrl: url.href })}`, replicas)?.port;
    const other = swarm.supernodePorts.find((port) => port !== owner) ?? 0;
    const download = await client(other, url).download();
    expect(download.content.equals(content)).toBe(true);
    const metrics = async (port = 0): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const served = /^dragonfly_supernode_served_bytes_total\{[^}]*\} [1-9]/m;
    expect(await metrics(owner)).toMatch(served);
    expect(await metrics(other)).not.toMatch(served);
  });
});

describe('original clients and three supernodes, of which the owner is killed in the middle', () => {
  let swarm: Swarm;
  let replicas: ReplicaProcesses;
  beforeEach(async () => {
    swarm = await Swarm.start();
    replicas = await ReplicaProcesses.start(3, swarm.home, swarm.origin.port);
  });
  afterEach(async () => {
    await replicas.stop();
    await swarm.stop();
  });

  it('survive it, as nodes do, with at most two copies', async () => {
    const { origin } = swarm;
    const content = randomBytes(24 * MIB);
    const { blob, url } = origin.add(content);
    const owner = replicas.ownerOf(blob);
    const others = replicas.ports.filter((port) => port !== owner);
    // In small parts: what a replica does not want any more when it finds a daemon that has it is not counted as sent.
    origin.rate = 48 * MIB;
    // The first fetch gets a half, and no more.
    let first: ServerResponse | undefined;
    const half = content.length / 2;
    origin.fault = (_request, response) => {
      if (first !== undefined) return false;
      first = response;
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, half));
      return true;
    };
    let killed: Promise<void> | undefined;
    const onPiece = (): void => {
      killed ??= replicas.kill(owner);
    };
    const [one = 0, two = 0] = others;
    const nodes = await Promise.all([
      swarm.addNode(undefined, [one, two, owner]),
      swarm.addNode(undefined, [two, owner, one]),
    ]);
    const [copies, downloads] = await Promise.all([
      Promise.all(nodes.map((node) => readAll(node, { blob, url }))),
      Promise.all([
        client(one, url, { onPiece }).download(),
        client(two, url, { onPiece }).download(),
        client(one, url, { onPiece, others: [owner, two] }).download(),
        client(two, url, { onPiece, style: PYTHON }).download(),
      ]),
    ]);
    await killed;
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    for (const download of downloads) expect(download.content.equals(content)).toBe(true);
    expect(nodes.map(({ traffic }) => traffic.origin)).toEqual([0, 0]);
    expect(first).toBeDefined();
    expect(half + origin.bytesSent).toBeLessThanOrEqual(2 * content.length);
  });
});
