import { spawnSync } from 'node:child_process';

/** Waits for a combination of signals of which one is a timeout, across a collection of garbage; tells what it aborted with. */
const WAITING = `
  const { timeoutSignal } = require('@cdk8s-dragonfly/command');
  const combined = () => AbortSignal.any([new AbortController().signal, timeoutSignal(200)]);
  const signal = combined();
  signal.addEventListener('abort', () => { console.log(signal.reason.name); clearTimeout(late); });
  setTimeout(() => global.gc(), 20);
  const late = setTimeout(() => console.log('never'), 5000);
`;

test('aborts a combination of signals that garbage was collected around', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--expose-gc', '-e', WAITING], {
    cwd: __dirname,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('TimeoutError\n');
});
