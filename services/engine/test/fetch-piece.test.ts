import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { frameHeader, frameTail, pieceMd5Of } from '@cdk8s-dragonfly/protocol';
import { Agent } from 'undici';

import { fetchPiece } from '../src/classic/fetch-piece';

const PIECE = 4 * 1024 * 1024;

describe('a piece of an original supernode or client', () => {
  const { signal } = new AbortController();
  const content = Buffer.from('the content of a piece');
  const { length } = content;
  const framed = Buffer.concat([frameHeader(length, PIECE), content, frameTail()]);
  const md5 = pieceMd5Of([content], PIECE);
  const agent = new Agent();
  let server: Server;
  let answer: { readonly status: number; readonly body: Buffer };
  let ranges: (string | undefined)[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      ranges.push(request.headers.range);
      response.writeHead(answer.status).end(answer.body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => {
    answer = { status: 206, body: framed };
    ranges = [];
  });
  afterAll(async () => {
    await agent.close();
    server.close();
    await once(server, 'close');
  });

  const fetched = async (pieceMd5: string, rawLength?: number): ReturnType<typeof fetchPiece> => {
    const { port } = server.address() as AddressInfo;
    const at = { peerIp: '127.0.0.1', peerPort: port, path: '/peer/file/x', cid: 'x', downLink: 0 };
    return fetchPiece({ ...at, pieceNum: 2, pieceSize: PIECE, pieceMd5 }, rawLength, agent, signal);
  };

  it.each([
    ['its MD5 and length are told', md5, length, true, framed.length],
    ['only its MD5 is told, which tells its length', md5, undefined, true, framed.length],
    ['only its length is told', '', length, false, framed.length],
    ['nothing is told', '', undefined, false, PIECE],
  ])('comes without its frame, when %s', async (_what, pieceMd5, rawLength, isChecked, asked) => {
    const { chunks, ...facts } = await fetched(pieceMd5, rawLength);
    expect(Buffer.concat(chunks)).toEqual(content);
    expect(facts).toEqual({ length, isChecked });
    expect(ranges).toEqual([`bytes=${2 * PIECE}-${2 * PIECE + asked - 1}`]);
  });

  it.each([
    ['no header', Buffer.concat([Buffer.from('ffc00005', 'hex'), framed.subarray(4)])],
    ['the header of another length', Buffer.concat([frameHeader(length - 1, PIECE), framed.subarray(4)])],
    ['the header of larger pieces', Buffer.concat([frameHeader(length, 2 * PIECE), framed.subarray(4)])],
    ['no tail', Buffer.concat([framed.subarray(0, -1), Buffer.of(0)])],
    ['fewer bytes than a header', framed.subarray(0, 2)],
    ['no byte', Buffer.alloc(0)],
  ])('is refused with %s, when nothing is told that it could be checked by', async (_what, body) => {
    answer = { status: 206, body };
    await expect(fetched('')).rejects.toMatchObject({
      kind: 'lying',
      message: expect.stringContaining(`: its ${body.length} bytes are no framed piece`) as string,
    });
  });

  it('is refused with another MD5, and both are known to who complains', async () => {
    const expected = '0'.repeat(32);
    const realMd5 = md5.split(':')[0];
    await expect(fetched(expected)).rejects.toMatchObject({ kind: 'lying', realMd5, expectedMd5: expected });
  });

  it.each([
    ['longer than it may be', 206, Buffer.concat([framed, Buffer.of(0)]), 'lying', 'longer than its'],
    ['cut', 206, framed.subarray(0, -1), 'gone', 'of 27 bytes'],
    ['not there', 404, framed, 'missing', '404'],
    ['an error', 500, framed, 'gone', '500'],
  ])('is refused when it is %s', async (_what, status, body, kind, said) => {
    answer = { status, body };
    await expect(fetched(md5)).rejects.toMatchObject({ kind, message: expect.stringContaining(said) as string });
  });
});
