import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { taskIdOf } from '@cdk8s-dragonfly/protocol';

import { PIECE, Site } from './classic/fixture';
import { exchange } from './classic/http-exchange';
import { OriginalClient } from './classic/original-client';
import { GO, PYTHON } from './classic/original-style';

const MIB = 1024 * 1024;
const PIECE_SIZE = 4 * MIB;

let site: Site;
let asked: EventEmitter;
/** The ranges that the origin was asked for, `whole` without one. */
let ranges: string[];

beforeEach(async () => {
  site = await Site.start();
  asked = new EventEmitter();
  ranges = [];
});

afterEach(async () => {
  await site.stop();
});

/** Puts a file at the origin, which has Range. */
function serve(content: Buffer): { url: string; taskId: string } {
  const url = site.serve('/file.bin', (request, response) => {
    const { range } = request.headers;
    ranges.push(range ?? 'whole');
    asked.emit('asked');
    const [from, last] =
      /^bytes=(\d+)-(\d+)$/
        .exec(range ?? '')
        ?.slice(1)
        .map(Number) ?? [];
    if (from === undefined || last === undefined) {
      response.writeHead(200, { 'content-length': content.length }).end(content);
      return;
    }
    const part = content.subarray(from, last + 1);
    const contentRange = `bytes ${from}-${last}/${content.length}`;
    response.writeHead(206, { 'content-length': part.length, 'content-range': contentRange }).end(part);
  });
  return { url, taskId: taskIdOf({ taskUrl: url }) };
}

let clients = 0;
function client(url: string, style = GO): OriginalClient {
  clients += 1;
  return new OriginalClient({ style, url, cid: `client-${clients}`, api: site.supernode.api.port });
}

async function onDisk(): Promise<string> {
  const folder = join(site.home, 'blobs');
  const names = await readdir(folder, { recursive: true });
  const name = names.find((one) => one.endsWith('.data'));
  if (name === undefined) throw new Error(`no blob in ${names.join(' ')}`);
  return join(folder, name);
}

/** Writes other bytes over what is on disk. */
async function spoil(offset: number, length: number): Promise<void> {
  const file = await open(await onDisk(), 'r+');
  await file.write(randomBytes(length), 0, length, offset);
  await file.close();
}

async function complain(taskId: string, fields: string, dstCid = `cdnnode:127.0.0.1~${taskId}`): Promise<void> {
  const query = `errorType=${fields}&srcCid=c&dstCid=${dstCid}&dstIp=127.0.0.1&taskId=${taskId}`;
  const { port } = site.supernode.api;
  const answer = await exchange({ host: '127.0.0.1', port, path: `/peer/piece/error?${query}` });
  expect(JSON.parse(answer.body.toString())).toEqual({ code: 200, msg: 'success' });
}

function wrongPiece(piece: number): string {
  const range = `${piece * PIECE_SIZE}-${(piece + 1) * PIECE_SIZE - 1}`;
  return `FILE_MD5_NOT_MATCH&range=${range}&realMd5=${'0'.repeat(32)}&expectedMd5=${'1'.repeat(32)}`;
}

/** The raw bytes of a piece as soon as they can be had. */
async function piece(taskId: string, number: number): Promise<Buffer> {
  const deadline = Date.now() + 10_000;
  const path = `/download/${taskId.slice(0, 3)}/${taskId}`;
  const range = `bytes=${number * PIECE_SIZE}-${(number + 1) * PIECE_SIZE - 1}`;
  for (;;) {
    const { port } = site.supernode.blocks;
    const got = await exchange({ host: '127.0.0.1', port, path, headers: { range } });
    if (got.status === 206 && got.complete) return got.body.subarray(4, -1);
    expect(Date.now()).toBeLessThan(deadline);
  }
}

describe('a complaint about a piece of the supernode', () => {
  it('has the damaged block fetched anew, and nothing else', async () => {
    const content = randomBytes(2 * PIECE + 5);
    const { url, taskId } = serve(content);
    await client(url).download();
    await spoil(PIECE + 2 * MIB + 100, 50);
    const again = once(asked, 'asked');
    await complain(taskId, wrongPiece(1));
    await again;
    expect((await piece(taskId, 1)).equals(content.subarray(PIECE, 2 * PIECE))).toBe(true);
    expect(ranges).toEqual(['whole', `bytes=${PIECE + 2 * MIB}-${PIECE + 2.5 * MIB - 1}`]);
    const later = await client(url, PYTHON).download();
    expect(later.content.equals(content)).toBe(true);
    expect(ranges).toHaveLength(2);
  });

  it('is no reason to fetch what is intact, or what another client gave', async () => {
    const content = randomBytes(PIECE + 5);
    const { url, taskId } = serve(content);
    await client(url).download();
    await complain(taskId, wrongPiece(0));
    await complain(taskId, 'FILE_NOT_EXIST&range=&realMd5=&expectedMd5=');
    await spoil(10, 5);
    await complain(taskId, wrongPiece(0), 'another-client');
    // Within 5 s of the first complaint.
    await complain(taskId, wrongPiece(0));
    expect((await piece(taskId, 1)).equals(content.subarray(PIECE))).toBe(true);
    expect(ranges).toEqual(['whole']);
  });
});

describe('a file whose end is lost on disk', () => {
  it.each([GO, PYTHON])('is fetched anew from there for $name, while it downloads', async (style) => {
    const content = randomBytes(3 * PIECE);
    const { url } = serve(content);
    await client(url).download();
    const file = await open(await onDisk(), 'r+');
    await file.truncate(2 * PIECE + MIB);
    await file.close();
    const download = await client(url, style).download();
    expect(download.content.equals(content)).toBe(true);
    expect(download.finish.fileLength).toBe(3 * PIECE_SIZE);
    expect(ranges).toEqual(['whole', `bytes=${2 * PIECE + MIB}-${3 * PIECE - 1}`]);
  });

  it('is not mixed with what the origin has by now', async () => {
    const { url } = serve(randomBytes(2 * PIECE));
    await client(url).download();
    const changed = randomBytes(2 * PIECE);
    serve(changed);
    const file = await open(await onDisk(), 'r+');
    await file.truncate(PIECE);
    await file.close();
    // One that has a piece of the former content would never know.
    await expect(client(url).download()).rejects.toEqual(expect.objectContaining({ reason: 3 }));
    const download = await client(url).download();
    expect(download.content.equals(changed)).toBe(true);
    expect(ranges).toEqual(['whole', expect.stringMatching(/^bytes=/), 'whole']);
  });
});
