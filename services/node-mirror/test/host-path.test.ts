import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveBelow } from '../src/files/host-path';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'host-path-'));
  mkdirSync(join(root, 'var'));
  mkdirSync(join(root, 'run'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

test.each([
  ['/var/x.pid', 'var/x.pid'],
  ['/not/there/x', 'not/there/x'],
  ['/var/../run/./x', 'run/x'],
  ['/../../etc', 'etc'],
  ['var//x', 'var/x'],
])('%s is %s below the root', async (path, below) => {
  expect(await resolveBelow(root, path)).toBe(join(root, below));
});

test.each([
  ['/run', 'run/docker.pid'],
  ['../run', 'run/docker.pid'],
  ['../../../../run', 'run/docker.pid'],
  ['/var/b/..', 'docker.pid'],
])('a link to %s stays below the root', async (target, below) => {
  symlinkSync(target, join(root, 'var/a'));
  symlinkSync('/run', join(root, 'var/b'));
  expect(await resolveBelow(root, '/var/a/docker.pid')).toBe(join(root, below));
});

test('a loop ends in a refusal', async () => {
  symlinkSync('/var/b', join(root, 'var/a'));
  symlinkSync('/var/a', join(root, 'var/b'));
  await expect(resolveBelow(root, '/var/a')).rejects.toThrow(
    '/var/a leads through more than 40 symbolic links: a loop?',
  );
});
