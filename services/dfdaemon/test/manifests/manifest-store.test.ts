import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManifestStore } from '../../src/manifests/manifest-store';

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
      expect(await store.find(digest)).toBeUndefined();
      await (await open(file, 'w')).close();
      await rename(join(home, 'aside'), file);
      expect((await store.find(digest))?.body.equals(body)).toBe(true);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
