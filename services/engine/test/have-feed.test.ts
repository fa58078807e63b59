import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlockSet, blockPath, havePath, haveEvent, readLines } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Digest, HaveEvent } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';

import { PeerServer } from '../src/node/peer-server';

const BLOCK = 256 * 1024;
const PIECE = 1024 * 1024;
const blob: Digest = `sha256:${'ab'.repeat(32)}`;
/** As long as a signature is. */
const signature = Buffer.alloc(64, 1);

let folder: string;
let store: BlobStore;
let server: PeerServer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'have-feed-'));
  store = await BlobStore.open(folder);
  const holdings = { hold: (one: BlobId) => store.find(one), isProven: () => true };
  server = new PeerServer(holdings, () => true, { warn: () => undefined });
  server.server.listen(join(folder, 'peer.sock'));
  await once(server.server, 'listening');
});

afterEach(async () => {
  await server.stop();
  await store.stop();
  await rm(folder, { recursive: true });
});

/** What a neighbour hears. */
class Listening {
  private constructor(
    readonly answer: IncomingMessage,
    private readonly lines: AsyncIterator<HaveEvent>,
  ) {}

  static async begin(pings: 'each' | 'one' = 'each', of: BlobId = blob): Promise<Listening> {
    const outgoing = request({ socketPath: join(folder, 'peer.sock'), path: havePath(of, 'me', pings) }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return new Listening(answer, readLines<HaveEvent>(answer, haveEvent));
  }

  async next(): Promise<HaveEvent | undefined> {
    const { done, value } = (await this.lines.next()) as IteratorResult<HaveEvent, undefined>;
    return done === true ? undefined : value;
  }

  /** The next that is no ping. */
  async news(): Promise<HaveEvent | undefined> {
    for (;;) {
      const event = await this.next();
      if (event?.type !== 'ping') return event;
    }
  }
}

test('every neighbour that listens hears what is here, then each block that comes, and pings while nothing comes', async () => {
  const stored = await store.create(blob, PIECE, 4 * BLOCK);
  const write = async (index: number, attested: boolean): Promise<void> => {
    const bytes = randomBytes(stored.grid.blockLength(index, stored.size));
    const hash = createHash('sha256').update(bytes).digest();
    await stored.write(index, [bytes], attested ? { hash, signature } : { hash });
  };
  await write(0, true);
  const early = await Listening.begin();
  const shape = { pieceSize: PIECE, size: 4 * BLOCK };
  expect(await early.news()).toEqual({
    type: 'have',
    blocks: BlockSet.of([0]),
    unattested: BlockSet.of([]),
    ...shape,
  });
  await write(2, false);
  expect(await early.news()).toEqual({ type: 'added', blocks: [], unattested: [2] });

  const late = await Listening.begin();
  expect(await late.news()).toEqual({
    type: 'have',
    blocks: BlockSet.of([0]),
    unattested: BlockSet.of([2]),
    ...shape,
  });
  await write(1, true);
  const news = { type: 'added', blocks: [1], unattested: [] };
  expect(await early.news()).toEqual(news);
  expect(await late.news()).toEqual(news);

  // Who leaves does not take the news from who stays.
  early.answer.destroy();
  await write(3, true);
  expect(await late.news()).toEqual({ type: 'added', blocks: [3], unattested: [] });
  const quiet = performance.now();
  expect(await late.next()).toEqual({ type: 'ping' });
  expect(performance.now() - quiet).toBeGreaterThan(200);
  await stored.release();
});

test('one ping is enough for all streams of a neighbour that says so, and each stream has its turn', async () => {
  const stored = await store.create(blob, PIECE, 4 * BLOCK);
  const together = [await Listening.begin('one'), await Listening.begin('one')];
  const apart = await Listening.begin();
  for (const stream of [...together, apart]) expect((await stream.next())?.type).toBe('have');
  const pings = [0, 0];
  const count = async (place: number): Promise<void> => {
    while ((await together[place]?.next())?.type === 'ping') pings[place] = (pings[place] ?? 0) + 1;
  };
  const counting = [count(0), count(1)];
  for (let ping = 0; ping < 3; ping += 1) expect(await apart.next()).toEqual({ type: 'ping' });
  for (const { answer } of together) answer.destroy();
  await Promise.allSettled(counting);
  const [first = 0, second = 0] = pings;
  // As many as the one stream had, and not twice as many.
  expect(first + second).toBeGreaterThanOrEqual(2);
  expect(first + second).toBeLessThanOrEqual(4);
  expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
  await stored.release();
});

test('what is told and given of a blob that is named by its URL is of an edition', async () => {
  const file: BlobId = `task:${'ef'.repeat(32)}`;
  const stored = await store.create(file, PIECE, BLOCK);
  const edition = { id: 'cd'.repeat(16), etag: '"one"' };
  await stored.setEdition(edition);
  const bytes = randomBytes(BLOCK);
  await stored.write(0, [bytes], { hash: createHash('sha256').update(bytes).digest(), signature });
  const listening = await Listening.begin('each', file);
  expect(await listening.news()).toMatchObject({ type: 'have', edition: edition.id });
  const outgoing = request({ socketPath: join(folder, 'peer.sock'), path: blockPath(file, 0) }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(answer.headers['x-dragonfly-edition']).toBe(edition.id);
  answer.resume();
  await stored.release();
});

test('a stream of a blob that is not here ends', async () => {
  const listening = await Listening.begin();
  expect(await listening.news()).toBeUndefined();
});

test('a neighbour that reads nothing is cut off, so that what it is told does not pile up', async () => {
  const stored = await store.create(blob, PIECE, undefined);
  const watching = jest.spyOn(stored, 'watch');
  const connected = once(server.server, 'connection');
  const outgoing = request({ socketPath: join(folder, 'peer.sock'), path: havePath(blob, 'deaf') }).end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.pause().on('error', () => undefined);
  const [socket] = (await connected) as [Socket];
  const cut = once(socket, 'close');
  let told = 0;
  const telling = setInterval(() => {
    const came = watching.mock.calls[0]?.[0];
    for (let more = 0; more < 20_000; more += 1) came?.((told += 1));
  }, 5);
  await cut;
  clearInterval(telling);
  // Seven bytes each: what the kernel takes, and a MiB.
  expect(told).toBeLessThan(2_000_000);
  answer.destroy();
  await stored.release();
});

test('each stream of a neighbour is pinged now and then, however many it has: one that is still for long would be closed', async () => {
  const others = [
    'setTimeout',
    'clearTimeout',
    'setImmediate',
    'clearImmediate',
    'nextTick',
    'queueMicrotask',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...others, 'performance', 'Date', 'hrtime'] });
  try {
    const stored = await store.create(blob, PIECE, PIECE);
    const streams = await Promise.all(Array.from({ length: 45 }, () => Listening.begin('one')));
    for (const stream of streams) expect((await stream.next())?.type).toBe('have');
    jest.advanceTimersByTime(10_000);
    for (const stream of streams) expect(await stream.next()).toEqual({ type: 'ping' });
    await stored.release();
  } finally {
    jest.useRealTimers();
  }
});
