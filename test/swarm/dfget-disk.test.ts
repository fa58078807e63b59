import { createHash, randomBytes } from 'node:crypto';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { runDfget } from '../../services/dfget/test/support/run-dfget';
import type { Ran } from '../../services/dfget/test/support/run-dfget';
import { CountedOrigin } from './counted-origin';
import { SmallDisk, mebibytes } from './small-disk';

/** Small disks are mounted, which root alone can do. */
const mounted = SmallDisk.isPossible ? describe : describe.skip;

mounted('dfget on a small disk', () => {
  let origin: CountedOrigin;
  let disk: SmallDisk;
  beforeEach(async () => {
    origin = await CountedOrigin.start();
    disk = SmallDisk.make('tmpfs', 8);
  });
  afterEach(async () => {
    await origin.stop();
    disk.remove();
  });

  const dfget = (url: URL, ...more: string[]): Promise<Ran> =>
    runDfget(['-u', url.href, '-o', join(disk.folder, 'file'), ...more]);

  it('says that the file does not fit before it fetches it, and leaves nothing behind', async () => {
    const { code, out, err } = await dfget(origin.addAt('/large', randomBytes(mebibytes(12))));
    expect([code, out]).toEqual([80, expect.stringMatching(/^download FAIL\(1104\) .* reason:1004\n$/)]);
    expect(err).toMatch(
      /^dfget: the file does not fit: it takes 12 MiB more, and 8 MiB are free in .*; make room, or choose another --output or --home\n$/,
    );
    expect(await readdir(disk.folder)).toEqual([]);
  });

  it('keeps what came when the disk is filled in the middle, and goes on from there when there is room', async () => {
    const content = randomBytes(mebibytes(6));
    const sha256 = createHash('sha256').update(content).digest('hex');
    const url = origin.addAt('/file', content);
    // The rest is asked for anew, and by then others have taken the room.
    origin.stallAt = mebibytes(2);
    origin.fault = ({ headers }) => {
      if (headers.range !== undefined) disk.fill(mebibytes(1));
      return false;
    };
    const { code, err } = await dfget(url, '--sha256', sha256, '--origin-stall-timeout', '500ms');
    expect(code).toBe(80);
    expect(err).toMatch(/^dfget: .*\ndfget: \d.* are kept in .*; the same command goes on from there\n$/);
    const [transit = '', filler = ''] = (await readdir(disk.folder)).sort();
    expect([transit, filler]).toEqual([
      expect.stringMatching(/^\.file\..*\.dfget$/),
      expect.stringContaining('filler'),
    ]);
    origin.fault = () => false;
    await rm(join(disk.folder, filler));
    const again = await dfget(url, '--sha256', sha256);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toContain('from an earlier run');
    expect(content.equals(await readFile(join(disk.folder, 'file')))).toBe(true);
  });

  it('keeps what stood there when the output is on another disk that is full', async () => {
    await writeFile(join(disk.folder, 'file'), 'before');
    disk.fill(mebibytes(1));
    const home = SmallDisk.make('tmpfs', 16);
    try {
      const content = randomBytes(mebibytes(3));
      const sha256 = createHash('sha256').update(content).digest('hex');
      const url = origin.addAt('/file', content);
      const { code, err } = await dfget(url, '--home', home.folder, '--sha256', sha256);
      expect(code).toBe(80);
      expect(err).toMatch(
        /^dfget: the file of 3 MiB does not fit: 1 MiB are free in .*, where it is copied from --home; make room, or choose another --output\n/,
      );
      expect(await readFile(join(disk.folder, 'file'), 'utf8')).toBe('before');
      expect((await readdir(disk.folder)).sort()).toEqual(['file', expect.stringContaining('filler')]);
    } finally {
      home.remove();
    }
  });

  it('refuses a disk that is read-only', async () => {
    disk.makeReadOnly();
    const { code, err } = await dfget(origin.addAt('/file', randomBytes(1000)));
    expect([code, err]).toEqual([
      1,
      `dfget: --output ${join(disk.folder, 'file')} cannot be written: the file system is read-only; name another\n`,
    ]);
    expect(origin.requests).toEqual([]);
  });
});
