import { mkdir, mkdtemp, open, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { outputPath } from '../src/download/output-file';

const url = new URL('http://origin.test/dir/file');

describe('where a download may end up', () => {
  let folder: string;
  let file: FileHandle;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'output-path-')));
    file = await open(join(folder, 'stdout'), 'w');
  });
  afterEach(async () => {
    await file.close();
    await rm(folder, { recursive: true });
  });

  const end = 'and dfget writes no streams; name a file, and read it when dfget is done';

  it.each(['/dev/null', '/dev/stdout', '/dev/fd/1', '/dev/new', '/proc/self/fd/1', '/dev/../proc/self/cwd/x'])(
    'is nowhere below /dev and /proc: %s',
    async (path) => {
      const there = path.replace('/dev/..', '');
      await expect(outputPath(path, url)).rejects.toThrow(`--output ${there} is no file on a disk, ${end}`);
    },
  );

  it('is no link that leads to an open file, however it looks: a rename would replace the link', async () => {
    const stream = `/proc/self/fd/${file.fd}`;
    const [near, far, through] = ['near', 'far', 'through'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await symlink(stream, near);
    await symlink('near', far);
    await symlink('/proc/self/fd', through);
    await expect(outputPath(near, url)).rejects.toThrow(
      `--output ${near} leads to ${stream}, which is no file on a disk, ${end}`,
    );
    await expect(outputPath(far, url)).rejects.toThrow(`--output ${far} leads to ${stream}, which is no file`);
    const below = join(through, `${file.fd}`);
    await expect(outputPath(below, url)).rejects.toThrow(
      new RegExp(`^--output ${below} leads to /proc/\\d+/fd/${file.fd}, `),
    );
    expect(await readlink(near)).toBe(stream);
    expect(await readFile(join(folder, 'stdout'), 'utf8')).toBe('');
  });

  it('may be any other link, one that leads nowhere or to itself, and shared memory', async () => {
    await writeFile(join(folder, 'real'), '');
    await symlink('real', join(folder, 'link'));
    await symlink('missing', join(folder, 'dangling'));
    for (const name of ['link', 'dangling']) expect(await outputPath(join(folder, name), url)).toBe(join(folder, name));
    expect(await outputPath('/dev/shm/file', url)).toBe('/dev/shm/file');
    await symlink('loop', join(folder, 'loop'));
    await expect(outputPath(join(folder, 'loop'), url)).rejects.toThrow(
      'cannot be written: the link leads to itself; name another file',
    );
  });

  it('is nothing with a name that is too long, nor below a file', async () => {
    const long = join(folder, 'a'.repeat(256));
    await expect(outputPath(long, url)).rejects.toThrow(
      `--output ${long} cannot be written: its name is too long; name another file`,
    );
    await expect(outputPath(join(folder, 'stdout', 'x'), url)).rejects.toThrow(
      'what should be a folder there is a file',
    );
  });

  it('is no folder, and nothing without a name', async () => {
    await mkdir(join(folder, 'there'));
    await expect(outputPath(join(folder, 'there'), url)).rejects.toThrow('is a folder; name a file');
    await expect(outputPath('-', url)).rejects.toThrow(
      '--output - is no stream here; name a file, such as ./- if that is its name',
    );
    await expect(outputPath(undefined, new URL('http://origin.test/'))).rejects.toThrow('--output is needed: ');
  });
});
