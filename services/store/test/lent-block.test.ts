import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlobStore } from '@cdk8s-dragonfly/store';

import { put, sample } from './blobs';

it('a block that is lent from disk gives its memory back once, however often it is done with', async () => {
  const home = await mkdtemp(join(tmpdir(), 'store-'));
  const one = sample(200_000);
  let store = await BlobStore.open(home);
  await put(store, one);
  await store.stop();
  store = await BlobStore.open(home);
  const stored = await store.find(one.blob);
  const first = await stored?.lend(0);
  expect(first?.bytes.equals(one.content)).toBe(true);
  first?.done();
  const second = await stored?.lend(0);
  expect(second?.bytes.buffer).toBe(first?.bytes.buffer);
  first?.done();
  const third = await stored?.lend(0);
  expect(third?.bytes.buffer).not.toBe(second?.bytes.buffer);
  await stored?.release();
  await store.stop();
  await rm(home, { recursive: true });
});
