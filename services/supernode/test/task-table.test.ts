import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OriginAnswer } from '@cdk8s-dragonfly/origin';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';

import { HolderRoads } from '../src/holders/holders';
import { OriginTurns } from '../src/tasks/origin-turns';
import type { TaskState } from '../src/tasks/task';
import { TaskTable } from '../src/tasks/task-table';

const SLOW = '/slow';
const REFUSED = '/refused';

describe('what a supernode has under way', () => {
  const roads = new HolderRoads();
  let home: string;
  let store: BlobStore;
  let tasks: TaskTable;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'supernode-tasks-'));
    store = await BlobStore.open(home);
    const { privateKey: key } = generateKeyPairSync('ed25519');
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const origin = {
      open: async ({ url }: { url: URL }, signal: AbortSignal): Promise<OriginAnswer> => {
        if (url.pathname === REFUSED) throw new Error('refused');
        if (url.pathname !== SLOW) return answered(Buffer.from(url.pathname), url.host);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
      },
    };
    tasks = new TaskTable({ origin, turns: new OriginTurns(), store, key, log, roads }, { send: () => true });
  });
  afterEach(async () => {
    await tasks.stop();
    await store.stop();
    await rm(home, { recursive: true, force: true });
  });
  afterAll(async () => roads.stop());

  async function fetched(path: string, state: TaskState): Promise<BlobId> {
    const blob: BlobId = `task:${Buffer.from(path).toString('hex').padStart(64, '0')}`;
    const { task } = tasks.obtain(blob);
    const reached = new Promise<void>((resolve) => task.watch(() => task.state === state && resolve()));
    task.want({ url: new URL(path, 'http://origin.example'), headers: [] });
    await reached;
    return blob;
  }

  it('is told of what is on its way first, and then of what was asked for last', async () => {
    const slow = await fetched(SLOW, 'waiting');
    const [first, second] = [await fetched('/first', 'complete'), await fetched('/second', 'complete')];
    await fetched(REFUSED, 'failed');
    expect(tasks.underWay(3)).toEqual([first, second, slow]);
    expect(tasks.underWay(2)).toEqual([second, slow]);
    expect(tasks.underWay(1)).toEqual([slow]);
  });
});

function answered(content: Buffer, finalHost: string): OriginAnswer {
  return {
    status: 200,
    size: content.length,
    from: 0,
    acceptsRanges: false,
    finalHost,
    body: (async function* () {
      yield await Promise.resolve(content);
    })(),
    discard: () => undefined,
  };
}
