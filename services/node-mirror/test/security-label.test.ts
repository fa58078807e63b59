import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyLabel } from '../src/files/security-label';
import { PretendedNode } from './support/pretended-node';

// All that node-mirror writes gets its label with these places, once they are there.
let given: { mark: string; chcon: string } | undefined;
jest.mock('../src/files/security-label', () => {
  const real: { copyLabel: typeof copyLabel } = jest.requireActual('../src/files/security-label');
  return { copyLabel: async (from: string, to: string, places = given) => real.copyLabel(from, to, places) };
});

// There is no SELinux where these tests run, so chcon is a stand-in that writes down how it is called.
let folder: string;
const chcon = (script: string): void => {
  writeFileSync(join(folder, 'chcon'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'chcon'), 0o755);
};
const places = (): { mark: string; chcon: string } => ({ mark: join(folder, 'enforce'), chcon: join(folder, 'chcon') });
const old = (): string => join(folder, 'old');
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'label-'));
  writeFileSync(old(), '');
  chcon(`echo "$@" > ${folder}/called`);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('the new file gets the label of the old one', async () => {
  writeFileSync(join(folder, 'enforce'), '0');
  await copyLabel(old(), '/new', places());
  expect(readFileSync(join(folder, 'called'), 'utf8')).toBe(`--reference=${old()} /new\n`);
});

test('without SELinux nothing is called', async () => {
  await copyLabel(old(), '/new', places());
  expect(existsSync(join(folder, 'called'))).toBe(false);
});

test('where there is no old one nothing is called', async () => {
  writeFileSync(join(folder, 'enforce'), '1');
  await copyLabel(join(folder, 'missing'), '/new', places());
  expect(existsSync(join(folder, 'called'))).toBe(false);
});

test('a label that cannot be given refuses the change', async () => {
  writeFileSync(join(folder, 'enforce'), '1');
  chcon('echo "chcon: not permitted" >&2\nexit 1');
  expect(await copyLabel(old(), '/new', places()).catch(String)).toMatch(
    /the SELinux label of .*\/old cannot be given to its new content: chcon: not permitted \(.*\); nothing was changed$/,
  );
});

test('file and backup get the label of the file, at the first apply, the second and the restore', async () => {
  writeFileSync(join(folder, 'enforce'), '1');
  // As chcon does: it fails where one of both is not there.
  chcon(`stat "\${1#--reference=}" "$2" >/dev/null && echo "$@" >> ${folder}/called`);
  given = places();
  const node = await new PretendedNode().give('{"debug": true}');
  const calls = async (work: Promise<void>): Promise<string[]> => {
    writeFileSync(join(folder, 'called'), '');
    await work;
    return readFileSync(join(folder, 'called'), 'utf8').trimEnd().split('\n');
  };
  const { file } = node;
  const [toFile, toBackup] = [
    `--reference=${file} ${file}.dragonfly-new`,
    `--reference=${file} ${file}.dragonfly-backup.dragonfly-new`,
  ];
  try {
    expect(await calls(node.mirror().apply())).toEqual([toBackup, toFile]);
    node.write('{"debug": false}');
    expect(await calls(node.mirror().apply())).toEqual([
      toBackup,
      `--reference=${file}.dragonfly-state ${file}.dragonfly-state.dragonfly-new`,
      toFile,
    ]);
    expect(await calls(node.mirror().restore())).toContain(toFile);
    expect(node.text).toBe('{"debug": false}');
  } finally {
    given = undefined;
    node.remove();
  }
});
