import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLabel } from '../src/files/security-label';

// There is no SELinux where these tests run, so chcon is a stand-in that writes down how it is called.
let folder: string;
const chcon = (script: string): void => {
  writeFileSync(join(folder, 'chcon'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'chcon'), 0o755);
};
const places = (): { mark: string; chcon: string } => ({ mark: join(folder, 'enforce'), chcon: join(folder, 'chcon') });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'label-'));
  chcon(`echo "$@" > ${folder}/called`);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('the new file gets the label of the old one', async () => {
  writeFileSync(join(folder, 'enforce'), '0');
  await copyLabel('/old', '/new', places());
  expect(readFileSync(join(folder, 'called'), 'utf8')).toBe('--reference=/old /new\n');
});

test('without SELinux nothing is called', async () => {
  await copyLabel('/old', '/new', places());
  expect(existsSync(join(folder, 'called'))).toBe(false);
});

test('a label that cannot be given refuses the change', async () => {
  writeFileSync(join(folder, 'enforce'), '1');
  chcon('echo "chcon: not permitted" >&2\nexit 1');
  expect(await copyLabel('/old', '/new', places()).catch(String)).toMatch(
    /the SELinux label of \/old cannot be given to its new content: chcon: not permitted \(.*\); nothing was changed$/,
  );
});
