import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';

import { framedLength, frameHeader, frameTail, taskIdOf } from '@cdk8s-dragonfly/protocol';

import { PIECE, Site, whole } from './classic/fixture';
import { exchange } from './classic/http-exchange';
import type { Exchange } from './classic/http-exchange';

const PIECE_SIZE = 4 * 1024 * 1024;

let site: Site;

beforeAll(async () => {
  site = await Site.start();
});

afterAll(async () => {
  await site.stop();
});

/** Registers the URL as an original client; gives the path of its file on the piece server. */
async function registered(url: string): Promise<string> {
  const fields = { rawUrl: url, taskUrl: url, cid: 'a', ip: '127.0.0.1', port: 0, path: '/peer/file/a' };
  const { port } = site.supernode.api;
  const body = JSON.stringify(fields);
  const answer = await exchange({ host: '127.0.0.1', port, path: '/peer/registry', method: 'POST', body });
  expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 200 });
  const taskId = taskIdOf({ taskUrl: url });
  return `/download/${taskId.slice(0, 3)}/${taskId}`;
}

/** Asks the control API until it says that the file is whole. */
async function complete(url: string): Promise<string> {
  const path = await registered(url);
  const query = `srcCid=a&dstCid=&range=&result=502&status=700&taskId=${path.split('/')[3] ?? ''}`;
  const deadline = Date.now() + 10_000;
  for (;;) {
    const got = await get(path);
    if (got.status === 200) return path;
    const answer = await exchange({ host: '127.0.0.1', port: site.supernode.api.port, path: `/peer/task?${query}` });
    expect([601, 602]).toContain((JSON.parse(answer.body.toString()) as { code: number }).code);
    expect(Date.now()).toBeLessThan(deadline);
  }
}

async function get(path: string, range?: string): Promise<Exchange> {
  const headers: Record<string, string> = range === undefined ? {} : { range };
  return exchange({ host: '127.0.0.1', port: site.supernode.blocks.port, path, headers });
}

function framed(content: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let from = 0; from < Math.max(1, content.length); from += PIECE) {
    const raw = content.subarray(from, from + PIECE);
    pieces.push(frameHeader(raw.length, PIECE_SIZE), raw, frameTail());
  }
  return Buffer.concat(pieces);
}

describe('the piece server for original clients', () => {
  const content = randomBytes(2 * PIECE + 1000);
  const file = framed(content);
  const size = framedLength(content.length, PIECE_SIZE);
  let path: string;

  beforeAll(async () => {
    path = await complete(site.serve('/file.bin', whole(content)));
  });

  it('gives the whole framed file without a range', async () => {
    const { status, headers, body } = await get(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-length': String(size), 'content-type': 'application/octet-stream' });
    expect(body.equals(file)).toBe(true);
  });

  it.each([
    ['a full piece', 0, PIECE_SIZE - 1],
    ['another', PIECE_SIZE, 2 * PIECE_SIZE - 1],
    ['the last piece, asked beyond its end', 2 * PIECE_SIZE, 3 * PIECE_SIZE - 1],
    ['the last piece, asked exactly', 2 * PIECE_SIZE, size - 1],
    ['one byte of a header', 2, 2],
    ['a tail and the next header', PIECE_SIZE - 1, PIECE_SIZE + 3],
    ['the inside of three pieces', 1_000_000, size - 7],
  ])('gives %s', async (_name, first, last) => {
    const { status, headers, body } = await get(path, `bytes=${first}-${last}`);
    const end = Math.min(last + 1, size);
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${first}-${end - 1}/${size}`);
    expect(headers['content-length']).toBe(String(end - first));
    expect(body.equals(file.subarray(first, end))).toBe(true);
  });

  it('refuses a range behind the end', async () => {
    const { status, headers, body } = await get(path, `bytes=${size}-${size + 10}`);
    expect(status).toBe(416);
    expect(headers['content-range']).toBe(`bytes */${size}`);
    expect(body).toHaveLength(0);
  });

  it.each(['/download/000/', '/qtdown/', '/download/../download/'])('knows nothing at %s', async (before) => {
    expect((await get(`${before}${path.split('/')[3] ?? ''}`)).status).toBe(404);
  });

  it('knows no other task', async () => {
    expect((await get(`/download/fff/${'f'.repeat(64)}`)).status).toBe(404);
  });

  it('takes connections without a request, and goes on after clients that leave in the middle', async () => {
    const { port } = site.supernode.blocks;
    for (let number = 0; number < 5; number += 1) {
      const bare = connect(port, '127.0.0.1');
      await once(bare, 'connect');
      bare.destroy();
      const leaving = connect(port, '127.0.0.1');
      leaving.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      await once(leaving, 'data');
      leaving.destroy();
    }
    expect((await get(path)).body.equals(file)).toBe(true);
  });
});

describe('the piece server while a file arrives', () => {
  it.each([
    ['known', 2 * PIECE + 1000],
    ['unknown', undefined],
  ])('gives the pieces that are here whole and no others; the length is %s', async (_name, length) => {
    const content = randomBytes(2 * PIECE + 1000);
    const file = framed(content);
    const sent = PIECE + 2_000_000;
    let finish = (): void => undefined;
    const url = site.serve(`/slow-${length}.bin`, (_request, response) => {
      response.writeHead(200, length === undefined ? {} : { 'content-length': length });
      response.write(content.subarray(0, sent));
      finish = () => response.end(content.subarray(sent));
    });
    const path = await registered(url);
    const piece = async (number: number): Promise<Exchange> =>
      get(path, `bytes=${number * PIECE_SIZE}-${(number + 1) * PIECE_SIZE - 1}`);
    const arrived = async (number: number): Promise<Exchange> => {
      const deadline = Date.now() + 10_000;
      for (;;) {
        const got = await piece(number);
        if (got.status === 206) return got;
        expect({ status: got.status, late: Date.now() > deadline }).toEqual({ status: 404, late: false });
      }
    };
    const first = await arrived(0);
    const all = length === undefined ? '*' : String(file.length);
    expect(first.headers['content-range']).toBe(`bytes 0-${PIECE_SIZE - 1}/${all}`);
    expect(first.body.equals(file.subarray(0, PIECE_SIZE))).toBe(true);
    expect((await piece(1)).status).toBe(404);
    expect((await get(path, `bytes=0-${PIECE_SIZE}`)).status).toBe(404);
    expect((await get(path)).status).toBe(404);
    finish();
    const last = await arrived(2);
    expect(last.body.equals(file.subarray(2 * PIECE_SIZE))).toBe(true);
    expect((await piece(1)).body.equals(file.subarray(PIECE_SIZE, 2 * PIECE_SIZE))).toBe(true);
  });
});
