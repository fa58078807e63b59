import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { digestOf } from '@cdk8s-dragonfly/protocol';

import { ManifestStore } from '../../src/manifests/manifest-store';
import type { Manifest } from '../../src/manifests/manifest-store';

describe('manifests on disk', () => {
  it('are not forgotten because the disk is slow once', async () => {
    const home = await mkdtemp(join(tmpdir(), 'manifests-'));
    const body = Buffer.from('{}');
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}` as const;
    try {
      const store = await ManifestStore.open(home, { warn: () => undefined });
      store.keep({ digest, mediaType: 'application/json', body });
      await store.stop();
      const [name = ''] = await readdir(join(home, 'manifests'));
      const file = join(home, 'manifests', name);
      await rename(file, join(home, 'aside'));
      // Whoever opens it to read waits until somebody opens it to write.
      execFileSync('mkfifo', [file]);
      jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
      const late = store.find(digest);
      jest.advanceTimersByTime(1999);
      const waits = jest.getTimerCount();
      jest.advanceTimersByTime(1);
      jest.useRealTimers();
      const first = await Promise.race([late, new Promise((resolve) => setTimeout(resolve, 10_000, 'waits'))]);
      // Before anything is expected: who waits for it keeps the process from its end.
      await (await open(file, 'w')).close();
      expect([waits, first]).toEqual([1, undefined]);
      await rename(join(home, 'aside'), file);
      expect((await store.find(digest))?.body.equals(body)).toBe(true);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  it('are kept while the disk takes them, and no more than 16 MiB wait for it', async () => {
    const home = await mkdtemp(join(tmpdir(), 'manifests-'));
    const manifestOf = (text: string): Manifest => {
      const body = Buffer.alloc(6 * 1024 * 1024, text);
      return { digest: digestOf(body), mediaType: 'application/json', body };
    };
    const [first, second, third] = ['a', 'b', 'c'].map(manifestOf) as [Manifest, Manifest, Manifest];
    try {
      const store = await ManifestStore.open(home, { warn: () => undefined });
      for (const manifest of [first, second, third]) store.keep(manifest);
      expect([first, second, third].map(({ digest }) => store.has(digest))).toEqual([true, true, false]);
      await store.stop();
      store.keep(third);
      expect(store.has(third.digest)).toBe(true);
      await store.stop();
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
