import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';

import { Bell } from '../src/download/bell';
import { Doubts } from '../src/download/doubts';
import { Fallback } from '../src/download/fallback';
import type { Intake } from '../src/download/intake';
import { OnDisk } from '../src/download/on-disk';
import { OriginIntake } from '../src/download/origin-intake';
import type { SwarmIntake } from '../src/download/swarm-intake';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';

const MIB = 1024 * 1024;

describe('a daemon that fetches from the origin for its neighbours and itself', () => {
  const { signal } = new AbortController();
  const content = randomBytes(12 * MIB);
  const blob: BlobId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  let home: string;
  let store: BlobStore;
  let disk: OnDisk;
  let failures: unknown[];
  /** Where each request ends; undefined: with the blob. */
  let ends: (number | undefined)[];
  let swarm: { isAlone: boolean; isShared: boolean; isServed: boolean };
  let origin: OriginIntake;
  let fallback: Fallback;
  /** Called when the first request is answered. */
  let answered: () => void;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'origin-intake-'));
    store = await BlobStore.open(home);
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    ends = [];
    swarm = { isAlone: true, isShared: true, isServed: false };
    const tools = {
      cid: 'me',
      store,
      policy: DAEMON_POLICY,
      clock: { now: 0 },
      timeouts: { swarmStall: 60_000 },
      log,
      origin: {
        open: async ({ from = 0, end }: { readonly from?: number; readonly end?: number }) => {
          ends.push(end);
          await nextTurn();
          if (ends.length === 1) answered();
          return {
            status: 206,
            size: content.length,
            from,
            acceptsRanges: true,
            body: [content.subarray(from, end)],
            discard: () => undefined,
          };
        },
      },
    } as unknown as DownloadTools;
    disk = new OnDisk(blob, tools, new Bell());
    failures = [];
    const intake: Intake = {
      request: { blob, url: new URL('http://origin.test/blob'), headers: [] },
      stored: () => disk.stored,
      begin: (pieceSize, size, edition) => disk.begin(pieceSize, size, edition),
      cursor: () => 0,
      doubts: new Doubts(),
      took: () => undefined,
      finished: () => failures.length > 0,
      fail: (error) => void failures.push(error),
      changed: () => undefined,
    };
    const view = { offers: () => false, neighbours: ['a', 'b'], lied: () => undefined };
    origin = new OriginIntake(intake, tools, Object.assign(swarm, view));
    fallback = new Fallback(intake, tools, swarm as unknown as SwarmIntake, origin, signal);
    await disk.begin(4 * MIB, content.length);
  });
  afterEach(async () => {
    await disk.close(Promise.resolve());
    await store.stop();
    await rm(home, { recursive: true, force: true });
  });

  /** A supernode takes the daemon in, which shares no more then. */
  const takenIn = (): void => void Object.assign(swarm, { isAlone: false, isShared: false });

  it('asks for no more once a supernode has taken it in, and leaves the rest to that', async () => {
    answered = takenIn;
    origin.start('the supernode is lost', signal, true);
    await origin.ended();
    expect([failures, ends.length, typeof ends[0]]).toEqual([[], 1, 'number']);
    expect(disk.stored?.whole).toBe(false);
    expect(disk.stored?.held.count).toBeGreaterThan(0);
  });

  it('goes on to the end when there is another reason meanwhile', async () => {
    answered = () => {
      takenIn();
      origin.start('original supernodes are of no use', signal);
    };
    origin.start('the supernode is lost', signal, true);
    await origin.ended();
    expect([failures, disk.stored?.whole]).toEqual([[], true]);
  });

  it('begins anew for another reason that comes while it ends', async () => {
    answered = () => {
      takenIn();
      origin.swarmReturned();
      origin.start('original supernodes are of no use', signal);
    };
    origin.start('the supernode is lost', signal, true);
    await origin.ended();
    expect([failures, disk.stored?.whole]).toEqual([[], true]);
  });

  it.each([
    ['it was lost before', true],
    ['it was there all the time', false],
  ])('leaves the rest to a supernode that has it after all, though it had failed: %s', async (_what, wasLost) => {
    const failed = (): void => fallback.supernodeFailed({ code: 500, message: 'the origin does not answer it' });
    answered = () => {
      if (wasLost) failed();
      // Another daemon has asked it since.
      Object.assign(swarm, { isAlone: false, isShared: false, isServed: true });
      fallback.look();
    };
    if (wasLost) fallback.goAlone('the supernode is lost');
    else failed();
    await origin.ended();
    expect([failures, ends.length, disk.stored?.whole]).toEqual([[], 1, false]);
  });
});
