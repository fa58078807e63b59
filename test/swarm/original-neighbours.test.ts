import { randomBytes } from 'node:crypto';

import { frameHeader, peerFilePath } from '@cdk8s-dragonfly/protocol';

import { exchange } from '../../services/supernode/test/classic/http-exchange';
import type { Exchange } from '../../services/supernode/test/classic/http-exchange';
import { OriginalClient } from '../../services/supernode/test/classic/original-client';
import type { Downloaded } from '../../services/supernode/test/classic/original-client';
import { GO, PYTHON } from '../../services/supernode/test/classic/original-style';
import type { OriginalStyle } from '../../services/supernode/test/classic/original-style';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;
/** A full piece of a small file, framed, and its raw bytes. */
const PIECE = 4 * MIB;
const RAW = PIECE - 5;

let swarm: Swarm;
let clients = 0;

beforeEach(async () => {
  swarm = await Swarm.start();
});

afterEach(async () => {
  await swarm.stop();
});

async function download(style: OriginalStyle, url: URL): Promise<Downloaded> {
  clients += 1;
  const cid = `127.0.0.2-${clients}-1795406219.563`;
  return new OriginalClient({ style, url: url.href, cid, api: swarm.supernodePort }).download();
}

describe.each([GO, PYTHON])('$name in the swarm of our daemons', (style) => {
  it('takes every piece from a daemon that has them', async () => {
    const content = randomBytes(2 * RAW + 1000);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    await readAll(node, { blob, url });
    // The supernode hears what the daemon has while this one is served.
    expect(content.equals((await download(GO, url)).content)).toBe(true);
    const { content: got, sources } = await download(style, url);
    expect(content.equals(got)).toBe(true);
    expect(sources.size).toBe(3);
    for (const cid of sources.values()) expect(cid).toMatch(/^node-/);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('gets the pieces of a daemon that is gone, or that has nothing, from the supernode', async () => {
    const content = randomBytes(2 * RAW);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    await readAll(node, { blob, url });
    const blocks = 19;
    await swarm.addFalsePeer({ blob, url, blocks }, (_index, request) => request.socket.destroy());
    expect(content.equals((await download(GO, url)).content)).toBe(true);
    await swarm.stopNode(node);
    const { content: got, sources } = await download(style, url);
    expect(content.equals(got)).toBe(true);
    for (const cid of sources.values()) expect(cid).toMatch(/^cdnnode:/);
  });
});

describe('the peer port of a daemon', () => {
  async function ask(port: number, path: string, headers: Record<string, string>): Promise<Exchange> {
    return exchange({ host: '127.0.0.1', port, path, headers });
  }

  it('gives any raw range in a frame, clipped at the end of the file', async () => {
    const content = randomBytes(RAW + 2 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode();
    await readAll(node, { blob, url });
    const piece = async (range: string, number: number): Promise<Exchange> =>
      ask(node.peerPort, peerFilePath(blob), {
        range: `bytes=${range}`,
        pieceNum: `${number}`,
        pieceSize: `${PIECE}`,
      });
    const framed = (from: number, end: number): Buffer =>
      Buffer.concat([frameHeader(end - from, PIECE), content.subarray(from, end), Buffer.of(0x7f)]);

    const first = await piece(`0-${PIECE - 1}`, 0);
    expect(first.status).toBe(206);
    expect(first.headers).toMatchObject({
      'content-length': `${PIECE}`,
      'content-type': 'application/octet-stream',
    });
    expect(first.headers).not.toHaveProperty('content-range');
    expect(first.body.equals(framed(0, RAW))).toBe(true);
    // The last one, as Go clients ask for it and as Python ones do.
    for (const end of [2 * PIECE - 1, PIECE + 2 * MIB + 4]) {
      const last = await piece(`${PIECE}-${end}`, 1);
      expect(last.status).toBe(206);
      expect(last.body.equals(framed(RAW, content.length))).toBe(true);
    }
    const middle = await piece(`${PIECE + 100}-${PIECE + 1_300_104}`, 1);
    expect(middle.body.equals(framed(RAW + 100, RAW + 1_300_100))).toBe(true);
    expect((await piece(`0-${PIECE}`, 0)).status).toBe(416);
    expect((await piece(`${3 * PIECE}-${4 * PIECE - 1}`, 3)).status).toBe(416);
    expect((await piece('5-5', 0)).status).toBe(400);
  });

  it('does not know files that it has not, nor the requests with which a dfget finds its own server', async () => {
    const node = await swarm.addNode();
    const headers = { range: `bytes=0-${PIECE - 1}`, pieceNum: '0', pieceSize: `${PIECE}` };
    const unknown = peerFilePath(`sha256:${'0'.repeat(64)}`);
    for (const path of [unknown, '/peer/file/a.bin-1-2.345', '/server/ping', '/check/a.bin', '/rate/a.bin']) {
      expect((await ask(node.peerPort, path, headers)).status).toBe(404);
    }
  });

  it('gives no byte from the origin before the digest of the whole is right', async () => {
    await swarm.stopSupernode();
    const content = randomBytes(2 * RAW);
    const { blob, url } = swarm.origin.add(content);
    const node = await swarm.addNode('alone', []);
    const headers = { range: `bytes=0-${PIECE - 1}`, pieceNum: '0', pieceSize: `${PIECE}` };
    const seen: number[] = [];
    swarm.origin.stallAt = RAW + 2 * MIB;
    await readAll(node, { blob, url }, { from: 0 }, async (sum) => {
      if (sum > RAW && seen.length === 0) seen.push((await ask(node.peerPort, peerFilePath(blob), headers)).status);
    });
    expect(seen).toEqual([404]);
    // Its last byte is given before it has its final name on disk; then others may have it.
    let { status } = await ask(node.peerPort, peerFilePath(blob), headers);
    for (const until = performance.now() + 5000; status === 404 && performance.now() < until;) {
      ({ status } = await ask(node.peerPort, peerFilePath(blob), headers));
    }
    expect(status).toBe(206);
  });
});
