import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoredBlob } from '@cdk8s-dragonfly/store';

import { HolderRoads, Holders } from '../src/holders/holders';
import { ArrivingBlocks } from '../src/tasks/arriving-blocks';
import { fetchBlob } from '../src/tasks/fetch-blob';
import { OriginTurns } from '../src/tasks/origin-turns';

describe('a fetch', () => {
  it('lets go of a blob whose version the disk did not take', async () => {
    const home = await mkdtemp(join(tmpdir(), 'fetch-blob-'));
    const store = await BlobStore.open(home);
    const url = new URL('http://origin.test/file');
    const blob: BlobId = `task:${taskIdOf({ taskUrl: url.href })}`;
    const content = randomBytes(300_000);
    let discarded = 0;
    const answer = {
      status: 200,
      size: content.length,
      from: 0,
      acceptsRanges: false,
      finalHost: url.host,
      body: Readable.from([content]),
      discard: () => void (discarded += 1),
    } as const;
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const { privateKey: key } = generateKeyPairSync('ed25519');
    const origin = { open: async () => Promise.resolve(answer) };
    const tools = { origin, turns: new OriginTurns(), store, key, roads: new HolderRoads(), log };
    const full = jest.spyOn(StoredBlob.prototype, 'setEdition').mockRejectedValue(new Error('ENOSPC'));
    try {
      const fetched = fetchBlob({
        blob,
        source: { url, headers: [] },
        tools,
        signal: new AbortController().signal,
        began: () => undefined,
        holders: new Holders(blob, tools),
        arriving: new ArrivingBlocks(store.buffers),
      });
      await expect(fetched).rejects.toThrow('ENOSPC');
      expect(discarded).toBe(1);
      expect(store.usage.bytes).toBeGreaterThan(0);
      // Its room comes back when nobody has it any more.
      await store.remove(blob);
      expect(store.usage.bytes).toBe(0);
    } finally {
      full.mockRestore();
      await store.stop();
      await rm(home, { recursive: true });
    }
  });
});
