import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeFolder } from '../src';

describe('making a folder', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'make-folder-'));
  });
  afterEach(() => rm(home, { recursive: true }));

  it('makes those above it too, for their owner alone, and minds none that are there', async () => {
    const folder = join(home, 'a/b/c');
    await makeFolder(folder);
    await makeFolder(folder);
    expect((await stat(join(home, 'a/b'))).mode & 0o777).toBe(0o700);
  });

  it('ends where nothing can be made', async () => {
    await expect(makeFolder('/proc/x/y')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes no file for a folder', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(makeFolder(join(home, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeFolder(join(home, 'file/x'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
