import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BLOCK_HASH_HEADER, BLOCK_SIGNATURE_HEADER, attest, editionOf, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Edition } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { Bell } from '../src/download/bell';
import { Doubts } from '../src/download/doubts';
import { FlightBudget } from '../src/download/flight-budget';
import type { Intake } from '../src/download/intake';
import { OnDisk } from '../src/download/on-disk';
import { OriginIntake } from '../src/download/origin-intake';
import { Questions } from '../src/download/questions';
import type { Asker } from '../src/download/questions';
import type { Sources } from '../src/download/sources';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';
import { BlockClient } from '../src/links/block-client';

const PIECE = 4 * 1024 * 1024;
const MONDAY = 'Mon, 23 Nov 2026 08:00:00 GMT';
const TUESDAY = 'Tue, 24 Nov 2026 08:00:00 GMT';

describe('a file that is named by its URL, and replaced while it is fetched', () => {
  const { signal } = new AbortController();
  const url = new URL('http://origin.test/releases/latest.tar');
  const blob: BlobId = `task:${taskIdOf({ taskUrl: url.href })}`;
  const content = randomBytes(700_000);
  const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  let home: string;
  let store: BlobStore;
  let disk: OnDisk;
  let failures: unknown[];
  let intake: Intake;
  let tools: DownloadTools;
  /** What the origin gives, and says of it. */
  let body: (from: number) => AsyncGenerator<Buffer>;
  let said: Pick<Edition, 'etag' | 'lastModified'>;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'editions-'));
    store = await BlobStore.open(home);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const origin: DownloadTools['origin'] = {
      open: async ({ from = 0 }) =>
        Promise.resolve({
          status: from === 0 ? 200 : 206,
          size: content.length,
          from,
          acceptsRanges: true,
          finalHost: url.host,
          ...said,
          body: body(from),
          discard: () => undefined,
        }),
    };
    const blocks = new BlockClient({ connect: 5000, stall: 5000 }, store.buffers);
    const budget = new FlightBudget();
    tools = { cid: 'me', store, origin, blocks, budget, policy: DAEMON_POLICY, log } as unknown as DownloadTools;
    disk = new OnDisk(blob, tools, new Bell());
    failures = [];
    intake = {
      request: { blob, url, headers: [] },
      stored: () => disk.stored,
      begin: (pieceSize, size, edition) => disk.begin(pieceSize, size, edition),
      cursor: () => 0,
      doubts: new Doubts(),
      took: () => undefined,
      finished: () => failures.length > 0,
      fail: (error) => void failures.push(error),
      changed: () => undefined,
    };
    async function* all(from: number): AsyncGenerator<Buffer> {
      yield await Promise.resolve(content.subarray(from));
    }
    body = all;
  });
  afterEach(async () => {
    tools.blocks.stop();
    await disk.close(Promise.resolve());
    await store.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** Fetches what is missing from the origin, with no neighbours. */
  const fetchRest = async (): Promise<void> => {
    const alone = { offers: () => false, isShared: false, neighbours: [], isAlone: true, lied: () => undefined };
    const origin = new OriginIntake(intake, tools, alone);
    origin.start('no supernode answers', signal);
    await origin.ended();
  };
  const writeFirst = async (stored: StoredBlob): Promise<void> => {
    const bytes = Buffer.from(content.subarray(0, stored.grid.blockLength(0, content.length)));
    await stored.write(0, [bytes], { hash: sha256(bytes) });
  };
  const begin = async (edition: Edition): Promise<StoredBlob> => disk.begin(PIECE, content.length, edition);

  it('gives nothing of what its origin has to what a supernode has, when they are of two versions', async () => {
    const told = editionOf({ size: content.length, etag: '"two"' });
    said = { etag: '"one"' };
    body = async function* () {
      // The supernode is heard after the origin has answered, and before its first block is here.
      await begin(told);
      yield content;
    };
    await fetchRest();
    expect(failures).toMatchObject([{ reason: 'changed', message: 'the origin gives another version than others' }]);
    expect(disk.stored?.held.count).toBe(0);
    expect(disk.stored?.edition).toEqual(told);
  });

  it('goes on at its origin with what came from a supernode, when that says the same of it', async () => {
    const edition = editionOf({ size: content.length, lastModified: MONDAY });
    await writeFirst(await begin(edition));
    said = { lastModified: MONDAY };
    await fetchRest();
    expect(failures).toEqual([]);
    expect([disk.stored?.whole, disk.stored?.edition]).toEqual([true, edition]);
  });

  it('is not gone on with when its origin says something else of it, and nothing of it is kept', async () => {
    await writeFirst(await begin(editionOf({ size: content.length, lastModified: MONDAY })));
    said = { lastModified: TUESDAY };
    await fetchRest();
    expect(failures).toMatchObject([{ reason: 'changed' }]);
    expect(disk.stored?.held.count).toBe(1);
    expect(await store.find(blob)).toBeUndefined();
  });

  it('takes no block that was asked for before the version was told that is fetched now', async () => {
    const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
    const [before, now] = ['"one"', '"two"'].map((etag) => editionOf({ size: content.length, etag }));
    const stored = await begin(before!);
    const length = stored.grid.blockLength(0, content.length);
    const bytes = content.subarray(0, length);
    let isTold = false;
    const peer = createServer((_request, response) => {
      const edition = (isTold ? now : before)!;
      const statement = { blob, edition: edition.id, pieceSize: PIECE, index: 0, length, hash: sha256(bytes) };
      const { hash, signature } = attest(statement, privateKey);
      const lines = {
        'content-length': length,
        [BLOCK_HASH_HEADER]: hash.toString('hex'),
        [BLOCK_SIGNATURE_HEADER]: signature.toString('base64'),
      };
      const told = isTold ? Promise.resolve(stored) : begin(now!);
      isTold = true;
      void told.then(() => response.writeHead(200, lines).end(bytes));
    }).listen(0, '127.0.0.1');
    await once(peer, 'listening');
    const { port } = peer.address() as AddressInfo;
    const failed: string[] = [];
    const sources = {
      originOf: () => new URL(`http://127.0.0.1:${port}`),
      succeeded: () => undefined,
      gave: () => undefined,
      failed: (_source: string, { kind }: { readonly kind: string }) => failed.push(kind),
    } as unknown as Sources;
    const nothing = (): void => undefined;
    const asker: Asker = { takesUnattested: false, isOurs: () => true, pump: nothing, freed: nothing };
    const questions = new Questions(intake, tools, sources, asker);
    const question = { block: 0, source: 'neighbour', key };
    try {
      await questions.ask(stored, question);
      expect([failed, stored.held.count]).toEqual([['gone'], 0]);
      await questions.ask(stored, question);
      expect([failed, stored.held.count]).toEqual([['gone'], 1]);
    } finally {
      peer.closeAllConnections();
      peer.close();
      await once(peer, 'close');
    }
  });
});
