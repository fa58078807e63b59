import { existsSync, writeFileSync } from 'node:fs';
import { RunFolder } from '../src/run-folder';
import { temporaryFolder } from './temporary-folder';

const parent = temporaryFolder();
test.each([
  [false, 'removed'],
  [true, 'left'],
])('with keep %s the folder is %s at the end', async (keep) => {
  const folder = await RunFolder.make(0, keep, parent.path);
  expect(folder.path.startsWith(parent.path)).toBe(true);
  writeFileSync(`${folder.make('image')}/layer`, 'x');
  await folder.stop();
  expect(existsSync(folder.path)).toBe(keep);
});

test('what is to be done at an exit is not done after an orderly stop', async () => {
  const exits = process.listenerCount('exit');
  const folder = await RunFolder.make(0, false, parent.path);
  folder.atExit(() => {
    throw new Error('too late');
  });
  expect(process.listenerCount('exit')).toBe(exits + 1);
  await folder.stop();
  expect(process.listenerCount('exit')).toBe(exits);
});

test('too little room is told before anything is written', async () => {
  await expect(RunFolder.make(2 ** 60, false, parent.path)).rejects.toThrow(
    /^the run needs 1048576 TiB in .*, and .* are free; give a smaller --size or fewer --nodes, or another folder/,
  );
});

test('a folder that does not exist is named', async () => {
  await expect(RunFolder.make(0, false, `${parent.path}/none`)).rejects.toThrow(
    `no folder can be made in ${parent.path}/none, which TMPDIR names`,
  );
});
