import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveBelow } from '../src/files/host-path';
import { Refusal } from '../src/refusal';

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

test('what the system does not let be read ends in a refusal', async () => {
  const refusal: unknown = await resolveBelow(root, `/${'a'.repeat(300)}`).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(String(refusal)).toContain(`${join(root, 'a'.repeat(300))} cannot be read: ENAMETOOLONG: name too long`);
});
