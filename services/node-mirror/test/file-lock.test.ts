import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from '../src/files/file-lock';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-lock-'));
  file = join(folder, 'x.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});
const lockFile = (): string => `${file}.dragonfly-lock`;

/** The lock as this process writes it. */
const ownLine = async (): Promise<string> =>
  await withFileLock(file, 0, () => Promise.resolve(readlinkSync(lockFile())));

test('work happens one after the other, and nothing is left', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(file, 5_000, work)));
  expect(most).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('a living holder is waited for, but not for ever', async () => {
  await withFileLock(file, 0, async () => {
    await expect(withFileLock(file, 60, () => Promise.resolve())).rejects.toThrow(
      `${lockFile()} is held by process ${process.pid}, which did not finish within 0.06 s: another node-mirror works on this node; run again later, or remove the file if there is none`,
    );
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock of a process that has ended is taken over', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  const [boot, namespace, , started] = (await ownLine()).split(' ');
  symlinkSync([boot, namespace, child.pid, started].join(' '), lockFile());
  expect(await withFileLock(file, 0, () => Promise.resolve('done'))).toBe('done');
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['an earlier process with our number', 3, '1'],
  ['another boot', 0, '00000000-0000-0000-0000-000000000000'],
])('the lock of %s is taken over', async (_, part, value) => {
  const parts = (await ownLine()).split(' ');
  parts[part] = value;
  symlinkSync(parts.join(' '), lockFile());
  expect(await withFileLock(file, 0, () => Promise.resolve('done'))).toBe('done');
});

test('the lock of another process namespace is respected: nobody here can tell whether its holder lives', async () => {
  const parts = (await ownLine()).split(' ');
  parts[1] = 'pid:[1]';
  symlinkSync(parts.join(' '), lockFile());
  await expect(withFileLock(file, 0, () => Promise.resolve())).rejects.toThrow(/is held by process/);
  expect(readlinkSync(lockFile()) === parts.join(' ')).toBe(true);
});

test('a folder made for the lock goes with it when it stays empty', async () => {
  const inner = join(folder, 'docker', 'x.json');
  expect(await withFileLock(inner, 0, (state) => Promise.resolve(state.created))).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
  await withFileLock(inner, 0, async () => {
    writeFileSync(inner, '');
    await Promise.resolve();
  });
  expect(readdirSync(join(folder, 'docker'))).toEqual(['x.json']);
});

test('folders above are made too, for everybody to read, and go again as far as they are empty', async () => {
  const inner = join(folder, 'a/b/x.json');
  const umask = process.umask(0o077);
  try {
    expect(await withFileLock(inner, 0, (state) => Promise.resolve(state.created))).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
    await withFileLock(inner, 0, async () => {
      expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o755);
      writeFileSync(join(folder, 'a/theirs'), '');
      await Promise.resolve();
    });
  } finally {
    process.umask(umask);
  }
  expect(readdirSync(join(folder, 'a'))).toEqual(['theirs']);
});

test('the folders of a holder that was killed go with its lock', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  const [boot, namespace, , started] = (await ownLine()).split(' ');
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  symlinkSync([boot, namespace, child.pid, started, 2].join(' '), join(folder, 'a/b/x.json.dragonfly-lock'));
  expect(await withFileLock(join(folder, 'a/b/x.json'), 0, (state) => Promise.resolve(state.created))).toBe(2);
  expect(readdirSync(folder)).toEqual([]);
});

test('a folder that is a file is refused in words', async () => {
  writeFileSync(join(folder, 'a'), '');
  await expect(withFileLock(join(folder, 'a/b/x.json'), 0, () => Promise.resolve())).rejects.toThrow(
    /x.json.dragonfly-lock cannot be written: a part of its path is no folder/,
  );
});
