import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoredBlob } from '@cdk8s-dragonfly/store';

import { Download } from '../src/download/download';
import { FlightBudget } from '../src/download/flight-budget';
import { SwarmIntake } from '../src/download/swarm-intake';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';
import { LinkFailure } from '../src/links/failure';
import { NeighbourPatience } from '../src/links/neighbour-patience';
import { noTraffic } from '../src/node/traffic';

const MIB = 1024 * 1024;
const STALL = 25_000;

describe('a download', () => {
  const content = randomBytes(MIB);
  const blob: BlobId = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  let home: string;
  let store: BlobStore;
  /** How often the origin was asked. */
  let requests: number;
  /** Those that look every 100 milliseconds. */
  let ticking: Set<() => void>;
  let isAnswered: boolean;
  let download: Download;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'download-'));
    store = await BlobStore.open(home);
    requests = 0;
    ticking = new Set();
    isAnswered = true;
    const nobody = new LinkFailure('gone', 'nobody is there');
    const tools = {
      cid: 'me',
      store,
      supernodes: { any: false, join: () => (isAnswered ? Promise.reject(nobody) : new Promise(() => undefined)) },
      budget: new FlightBudget(),
      patience: new NeighbourPatience(60_000),
      streams: { connect: 1000, answer: 1000 },
      traffic: noTraffic(),
      policy: DAEMON_POLICY,
      timeouts: { swarmStall: STALL, busy: 8000 },
      // The node has run for long.
      clock: {
        now: 4 * STALL,
        every: (take: () => void) => {
          ticking.add(take);
          return () => ticking.delete(take);
        },
      },
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
      holds: () => undefined,
      origin: {
        open: ({ from = 0, end = content.length }: { readonly from?: number; readonly end?: number }) => {
          requests += 1;
          const body = [content.subarray(from, end)];
          const discard = (): void => undefined;
          return Promise.resolve({ status: 206, size: content.length, from, acceptsRanges: true, body, discard });
        },
      },
    } as unknown as DownloadTools;
    download = new Download({ blob, url: new URL('http://origin.test/blob'), headers: [] }, tools);
  });
  afterEach(async () => {
    download.stop();
    await download.ended();
    await download.close();
    await store.stop();
    await rm(home, { recursive: true, force: true });
    jest.restoreAllMocks();
  });

  const tick = (): void => ticking.forEach((take) => take());
  const until = async (is: () => boolean): Promise<void> => {
    while (!is()) await download.bell.next(AbortSignal.timeout(60_000));
  };

  it('that is repaired before its last run has ended does not take the time before that for a stall', async () => {
    let goOn: () => void = () => undefined;
    const onDisk = new Promise<void>((resolve) => (goOn = resolve));
    // The disk takes long to give it its name: its readers have all of it by then.
    jest.spyOn(StoredBlob.prototype, 'finish').mockImplementationOnce(() => onDisk);
    await until(() => download.verified);
    expect([requests, ticking.size]).toEqual([1, 1]);
    download.stored?.drop(0);
    download.repair();
    tick();
    await new Promise(setImmediate);
    expect(requests).toBe(1);
    goOn();
    await until(() => download.verified);
    expect([requests, download.stored?.whole]).toEqual([2, true]);
  });

  it('chooses for the readers that are left when one goes, and no more when it has ended', () => {
    isAnswered = false;
    const moved = jest.spyOn(SwarmIntake.prototype, 'cursorMoved');
    const [first, second] = [{}, {}];
    download.moveCursor(first, 0, 0);
    download.moveCursor(second, 3, 3 * 262_144);
    moved.mockClear();
    download.removeCursor(first);
    expect(moved).toHaveBeenCalledTimes(1);
    download.stop();
    download.removeCursor(second);
    expect(moved).toHaveBeenCalledTimes(1);
  });
});
