import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createLog } from '@cdk8s-dragonfly/command';
import { SwarmNode } from '@cdk8s-dragonfly/engine';
import { OriginRules } from '@cdk8s-dragonfly/origin';
import { taskIdOf } from '@cdk8s-dragonfly/protocol';

import { OriginalClient } from '../../services/supernode/test/classic/original-client';
import type { OriginalClientOptions } from '../../services/supernode/test/classic/original-client';
import { GO, PYTHON } from '../../services/supernode/test/classic/original-style';
import { CountedOrigin } from './counted-origin';
import { ReplicaProcesses } from './replica-processes';
import { readAll } from './swarm';

const MIB = 1024 * 1024;

let home: string;
let origin: CountedOrigin;
let replicas: ReplicaProcesses;
let nodes: SwarmNode[];
let clients = 0;
let folders = 0;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'classic-replicas-'));
  origin = await CountedOrigin.start();
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await replicas.stop();
  await origin.stop();
  await rm(home, { recursive: true, force: true });
});

async function addNode(ports: readonly number[]): Promise<SwarmNode> {
  folders += 1;
  const node = await SwarmNode.start({
    dataDir: join(home, `node-${folders}`),
    supernodes: ports.map((port) => ({ host: '127.0.0.1', port })),
    peers: { host: '127.0.0.1', port: 0 },
    originRules: new OriginRules({ allow: [{ host: '127.0.0.1', port: origin.port }] }),
    connectTimeout: 1000,
    peerStallTimeout: 2000,
    supernodeSilence: 1000,
    originFirstByteTimeout: 5000,
    originStallTimeout: 2000,
    log: createLog('silent', 'node'),
  });
  nodes.push(node);
  return node;
}

function client(api: number, url: URL, rest: Partial<OriginalClientOptions> = {}): OriginalClient {
  clients += 1;
  return new OriginalClient({ style: GO, api, url: url.href, cid: `127.0.0.1-${clients}-1795406219.563`, ...rest });
}

describe('original clients and several supernodes', () => {
  it.each([2, 3])(
    'take one copy from the origin, together with nodes, over %d of them',
    async (count) => {
      replicas = await ReplicaProcesses.start(count, home, origin.port);
      const { ports } = replicas;
      const content = randomBytes(9 * MIB);
      const { blob, url } = origin.add(content);
      const plain = randomBytes(6 * MIB);
      const plainUrl = origin.addAt('/plain.bin', plain);
      const node = await addNode(ports);
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
    },
    60_000,
  );

  it('are survived by clients and nodes when the owner is killed in the middle, with at most two copies', async () => {
    replicas = await ReplicaProcesses.start(3, home, origin.port);
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
    const swarm = await Promise.all([addNode([one, two, owner]), addNode([two, owner, one])]);
    const [copies, downloads] = await Promise.all([
      Promise.all(swarm.map((node) => readAll(node, { blob, url }))),
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
    expect(swarm.map(({ traffic }) => traffic.origin)).toEqual([0, 0]);
    expect(first).toBeDefined();
    expect(half + origin.bytesSent).toBeLessThanOrEqual(2 * content.length);
  }, 60_000);

  it('are told by the owner where its pieces are', async () => {
    replicas = await ReplicaProcesses.start(2, home, origin.port);
    const content = randomBytes(MIB);
    const url = origin.addAt('/told.bin', content);
    const taskId = taskIdOf({ taskUrl: url.href });
    const owner = replicas.ownerOf(`task:${taskId}`);
    const other = replicas.ports.find((port) => port !== owner) ?? 0;
    const download = await client(other, url).download();
    expect(download.content.equals(content)).toBe(true);
    const metrics = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const served = /^dragonfly_supernode_served_bytes_total\{[^}]*\} [1-9]/m;
    expect(await metrics(owner)).toMatch(served);
    expect(await metrics(other)).not.toMatch(served);
  }, 60_000);
});
