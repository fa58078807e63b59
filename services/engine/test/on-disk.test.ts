import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { editionOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, EditionMarks } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';

import { Bell } from '../src/download/bell';
import { OnDisk } from '../src/download/on-disk';
import { DAEMON_POLICY } from '../src/download/tools';

const BLOCK = 256 * 1024;

describe('a file that is gone on with', () => {
  const blob: BlobId = `task:${'ab'.repeat(32)}`;
  let home: string;
  let store: BlobStore;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'on-disk-'));
    store = await BlobStore.open(home);
  });
  afterEach(async () => {
    await store.stop();
    await rm(home, { recursive: true, force: true });
  });

  it.each<[string, EditionMarks, EditionMarks, string]>([
    ['another ETag', { etag: '"one"' }, { etag: '"two"' }, 'another version of'],
    ['nothing to tell versions by', {}, {}, 'its origin sends neither ETag nor Last-Modified'],
  ])('and has %s is thrown away, and the reason told', async (_what, before, now, why) => {
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const disk = new OnDisk(blob, { log, policy: DAEMON_POLICY, store }, new Bell());
    const stored = await disk.begin(4 * BLOCK, 2 * BLOCK, editionOf(before));
    await stored.write(0, [randomBytes(BLOCK)], { hash: Buffer.alloc(32, 1) });
    await expect(disk.begin(4 * BLOCK, 2 * BLOCK, editionOf(now))).rejects.toThrow(why);
    expect(await store.find(blob)).toBeUndefined();
    await disk.close(Promise.resolve());
  });
});
