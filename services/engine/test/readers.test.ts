import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { BlobStore } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { Bell } from '../src/download/bell';
import { Doubts } from '../src/download/doubts';
import { Readers } from '../src/download/readers';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';

const MIB = 1024 * 1024;
const SIP = 64 * 1024;

describe('a reader that waits for its next bytes', () => {
  const { signal } = new AbortController();
  const blob = `sha256:${'ab'.repeat(32)}` as const;
  const content = randomBytes(3 * MIB);
  const reader = {};
  let home: string;
  let store: BlobStore;
  let stored: StoredBlob;
  let now: number;
  let came: Bell;
  let readers: Readers;
  let asked: string[];
  let etag: string | undefined;
  let failures: unknown[];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'readers-'));
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    store = await BlobStore.open(home, { log });
    stored = await store.create(blob, 4 * MIB, content.length);
    now = 0;
    const clock = {
      get now() {
        return now;
      },
    };
    came = new Bell();
    asked = [];
    etag = undefined;
    failures = [];
    const origin: DownloadTools['origin'] = {
      open: async ({ from = 0, end = content.length }) => {
        asked.push(`${from}-${end}`);
        return Promise.resolve({
          status: 206,
          size: content.length,
          from,
          acceptsRanges: true,
          etag,
          finalHost: 'origin',
          finalUrl: new URL('http://origin/'),
          body: Readable.from([content.subarray(from, end)]),
          discard: () => undefined,
        } as unknown as Awaited<ReturnType<DownloadTools['origin']['open']>>);
      },
    };
    readers = new Readers(
      {
        request: { blob, url: new URL('http://origin/'), headers: [] },
        stored: () => stored,
        begin: () => Promise.resolve(stored),
        cursor: () => 0,
        doubts: new Doubts(),
        took: () => undefined,
        finished: () => false,
        fail: (error) => void failures.push(error),
        changed: () => came.ring(),
      },
      { clock, log, origin, policy: DAEMON_POLICY },
      { mayLeave: () => false, offersAttested: () => false, lied: () => undefined, count: () => undefined },
    );
  });
  afterEach(async () => {
    await stored.release();
    await store.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('gets them after a second, and again after another, no more than 64 KiB', async () => {
    readers.move(reader, 2, 2 * 262_144);
    now = 999;
    readers.keepGoing(stored, true, signal);
    now = 1000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    const at = 2 * 262_144;
    expect(content.subarray(at, at + SIP).equals(readers.takeSip(reader, at)!)).toBe(true);
    expect(readers.takeSip(reader, at)).toBeUndefined();
    readers.move(reader, 2, at + SIP);
    now = 1999;
    readers.keepGoing(stored, true, signal);
    now = 2000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    expect(asked).toEqual([`${at}-${at + SIP}`, `${at + SIP}-${at + 2 * SIP}`]);
  });

  it('gets none that belong elsewhere when it has gone on meanwhile', async () => {
    readers.move(reader, 0, 0);
    now = 1000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    // Nobody told where it is: the download has ended.
    expect(readers.takeSip(reader, 262_144)).toBeUndefined();
    expect(readers.takeSip(reader, 0)).toBeUndefined();
  });

  it('gets none of the last block, nor while a supernode brings what is missing', async () => {
    const last = stored.grid.blockCount(content.length) - 1;
    readers.move(reader, last, stored.grid.span(last).offset);
    now = 5000;
    readers.keepGoing(stored, true, signal);
    readers.move(reader, 1, 262_144);
    now = 10_000;
    readers.keepGoing(stored, false, signal);
    await readers.ended();
    expect(asked).toEqual([]);
  });

  it('gets none of another version of the file, and its download ends', async () => {
    await stored.setEdition({ id: 'ef'.repeat(16), etag: '"one"' });
    etag = '"one"';
    readers.move(reader, 0, 0);
    now = 1000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    expect(readers.takeSip(reader, 0)).toHaveLength(SIP);
    expect(failures).toEqual([]);
    etag = '"two"';
    now = 2000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    expect(readers.takeSip(reader, 0)).toBeUndefined();
    expect(failures.map(String)).toEqual([expect.stringContaining('another version')]);
    expect(failures).toMatchObject([{ reason: 'changed' }]);
  });

  it('gets them of a file whose origin does not tell versions apart: the whole will show', async () => {
    await stored.setEdition({ id: 'ef'.repeat(16) });
    readers.move(reader, 0, 0);
    now = 1000;
    readers.keepGoing(stored, true, signal);
    await readers.ended();
    expect(readers.takeSip(reader, 0)).toHaveLength(SIP);
    expect(failures).toEqual([]);
  });
});
