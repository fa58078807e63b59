import { createHash, randomBytes } from 'node:crypto';

import { PIECE, Site, status, whole } from './classic/fixture';
import { exchange } from './classic/http-exchange';

const PIECE_SIZE = 4 * 1024 * 1024;

interface Item {
  readonly range: string;
  readonly pieceNum: number;
  readonly pieceMd5: string;
  readonly cid: string;
}

interface Answer {
  readonly code: number;
  readonly msg?: string;
  readonly data?: unknown;
}

let site: Site;

beforeEach(async () => {
  site = await Site.start();
});

afterEach(async () => {
  await site.stop();
});

/** Every answer is HTTP 200 with JSON: some original clients crash on anything else. */
async function api(path: string, body?: string): Promise<Answer> {
  const { port } = site.supernode.api;
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await exchange({ host: '127.0.0.1', port, path, method, ...(body === undefined ? {} : { body }) });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  return JSON.parse(answer.body.toString()) as Answer;
}

async function register(url: string, more: object = {}): Promise<Answer> {
  const fields = { rawUrl: url, taskUrl: url, cid: 'a', ip: '127.0.0.1', port: 20_000, path: '/peer/file/a' };
  return api('/peer/registry', JSON.stringify({ ...fields, ...more }));
}

function taskIn(answer: Answer): string {
  return (answer.data as { taskId: string }).taskId;
}

function ask(taskId: string, cid = 'a', report = 'dstCid=&range=&result=502&status=700'): Promise<Answer> {
  return api(`/peer/task?srcCid=${cid}&${report}&taskId=${taskId}`);
}

/** Asks until the code is another than 602. */
async function told(taskId: string, cid = 'a'): Promise<Answer> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask(taskId, cid);
    if (answer.code !== 602) return answer;
    expect(Date.now()).toBeLessThan(deadline);
  }
}

describe('the control API for original clients', () => {
  it.each([
    ['/peer/task', 501],
    ['/peer/task?srcCid=a&status=700&result=502&taskId=b', 605],
    ['/peer/task?srcCid=a&status=701&result=503&range=1-2&taskId=b', 501],
    ['/peer/task?srcCid=%ff%&status=700&result=502&taskId=%zz', 605],
    ['/peer/piece/suc', 501],
    ['/peer/piece/suc?taskId=x&cid=y&pieceRange=0-4194303', 200],
    ['/peer/piece/error', 200],
    ['/peer/piece/error?errorType=FILE_NOT_EXIST&srcCid=a&dstCid=b&taskId=c', 200],
    ['/peer/service/down', 501],
    ['/peer/service/down?taskId=x&cid=y', 200],
  ])('answers %s with code %d', async (path, code) => {
    expect((await api(path)).code).toBe(code);
  });

  it.each(['', '{', '[]', 'rawUrl=nothing', '{"rawUrl":"ftp://x/y"}', 'x'.repeat(300_000)])(
    'refuses a registration that is none',
    async (body) => {
      expect((await api('/peer/registry', body)).code).toBe(501);
    },
  );

  it('lists at most four pieces, each as original clients need it, and the same until they are reported', async () => {
    const { url, content } = site.file('/file.bin', 5 * PIECE);
    const taskId = taskIn(await register(url));
    await untilWhole(taskId);
    const answer = await ask(taskId);
    const items = answer.data as Item[];
    expect(answer.code).toBe(601);
    expect(items).toHaveLength(4);
    for (const item of items) {
      const raw = content.subarray(item.pieceNum * PIECE, (item.pieceNum + 1) * PIECE);
      const md5 = createHash('md5')
        .update(Buffer.of(0x04, 0x3f, 0xff, 0xfb))
        .update(raw)
        .update(Buffer.of(0x7f));
      expect(item).toEqual({
        range: `${item.pieceNum * PIECE_SIZE}-${(item.pieceNum + 1) * PIECE_SIZE - 1}`,
        pieceNum: item.pieceNum,
        pieceSize: PIECE_SIZE,
        pieceMd5: `${md5.digest('hex')}:${PIECE_SIZE}`,
        cid: `cdnnode:127.0.0.1~${taskId}`,
        peerIp: '127.0.0.1',
        peerPort: site.supernode.blocks.port,
        path: `/download/${taskId.slice(0, 3)}/${taskId}`,
        downLink: 20_480,
      });
    }
    expect(await ask(taskId)).toEqual(answer);
    const [first] = items;
    const report = `dstCid=${first?.cid ?? ''}&range=${first?.range ?? ''}&result=503&status=701`;
    const next = (await ask(taskId, 'a', report)).data as Item[];
    expect(next.map(({ pieceNum }) => pieceNum)).not.toContain(first?.pieceNum);
    expect(next).toHaveLength(4);
  });

  it('a piece on disk counts as arrived without another report, and a client that registers again begins anew', async () => {
    const { url } = site.file('/small.bin', 10);
    const taskId = taskIn(await register(url));
    expect((await told(taskId)).code).toBe(601);
    const stored = `/peer/piece/suc?taskId=${taskId}&cid=a&dstCid=x&pieceRange=0-${PIECE_SIZE - 1}`;
    expect(await api(stored)).toEqual({ code: 200, msg: 'success' });
    expect(await told(taskId)).toEqual({ code: 600, data: { md5: '', fileLength: 15 } });
    await register(url);
    expect((await ask(taskId)).code).toBe(601);
  });

  it('does not believe in pieces that the file cannot have', async () => {
    const { url } = site.file('/small.bin', 10);
    const taskId = taskIn(await register(url));
    await told(taskId);
    for (const piece of [1, 2, 1_000_000]) {
      const range = `${piece * PIECE_SIZE}-${(piece + 1) * PIECE_SIZE - 1}`;
      await api(`/peer/piece/suc?taskId=${taskId}&cid=a&pieceRange=${range}`);
      expect((await ask(taskId, 'a', `dstCid=x&range=${range}&result=503&status=701`)).code).toBe(601);
    }
  });

  it('makes holders of clients with a peer server of IPv4 only', async () => {
    const { url } = site.file('/small.bin', 10);
    const sourceOf = async (more: object): Promise<string | undefined> => {
      const taskId = taskIn(await register(url, { cid: 'holder', ...more }));
      await told(taskId, 'holder');
      await api(`/peer/piece/suc?taskId=${taskId}&cid=holder&pieceRange=0-${PIECE_SIZE - 1}`);
      await register(url, { cid: 'asking', port: 0 });
      return ((await told(taskId, 'asking')).data as Item[])[0]?.cid;
    };
    expect(await sourceOf({ port: 20_000 })).toBe('holder');
    expect(await sourceOf({ port: 0 })).toMatch(/^cdnnode:/);
    expect(await sourceOf({ port: 20_000, ip: '::1' })).toMatch(/^cdnnode:/);
  });

  it('answers 604 when the origin breaks off, fetches again for the next registration, and lets nobody mix the two', async () => {
    const content = randomBytes(PIECE + 10);
    const url = site.serve('/broken.bin', (_request, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000), () => {
        site.serve('/broken.bin', status(410));
        response.destroy();
      });
    });
    const taskId = taskIn(await register(url, { cid: 'early' }));
    expect((await told(taskId, 'early')).code).toBe(604);
    expect((await register(url, { cid: 'late' })).code).toBe(607);
    site.serve('/broken.bin', whole(content));
    expect((await register(url, { cid: 'late' })).code).toBe(200);
    expect((await told(taskId, 'late')).code).toBe(601);
    expect((await ask(taskId, 'early')).code).toBe(605);
  });
});

/** Waits until the task's whole file can be had. */
async function untilWhole(taskId: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  const path = `/download/${taskId.slice(0, 3)}/${taskId}`;
  for (;;) {
    const got = await exchange({ host: '127.0.0.1', port: site.supernode.blocks.port, path });
    if (got.status === 200) return;
    expect(Date.now()).toBeLessThan(deadline);
  }
}
