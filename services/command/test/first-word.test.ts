import { byFirstWord, type Launch } from '../src';

const calls: (readonly unknown[])[] = [];
const record =
  (name: string): Launch =>
  (argv) => {
    calls.push([name, ...argv]);
    return Promise.resolve();
  };
const main = byFirstWord({ name: 'tool', summary: '', flags: {} }, record('tool'), {
  commands: new Map([['sub', record('sub')]]),
  gone: new Map([['config', 'tool --help lists the defaults']]),
});

beforeEach(() => calls.splice(0));

test.each([
  [[], ['tool']],
  [
    ['--port', '1'],
    ['tool', '--port', '1'],
  ],
  [['version'], ['tool', '--version']],
  [['help'], ['tool', '--help']],
  [
    ['help', 'sub'],
    ['sub', '--help'],
  ],
  [
    ['sub', 'a'],
    ['sub', 'a'],
  ],
  [
    ['other', 'a'],
    ['tool', 'other', 'a'],
  ],
])('tool %j calls %j', async (argv, called) => {
  await main(argv, {});
  expect(calls).toEqual([called]);
});

test('what is gone ends with the code for wrong usage and says what to do', async () => {
  const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const before = process.exitCode;
  try {
    await main(['config', 'default'], {});
    expect(process.exitCode).toBe(2);
    expect(written.mock.calls).toEqual([['tool: there is no tool config: tool --help lists the defaults\n']]);
    expect(calls).toEqual([]);
  } finally {
    process.exitCode = before;
    written.mockRestore();
  }
});
