import { once } from 'node:events';
import { CommandError, runCommand, UsageError, type CommandContext } from '../src';
import { EXAMPLE, MODAL } from './example-spec';
import { FakeHost } from './fake-host';

const { version } = jest.requireActual<{ readonly version: string }>('../package.json');
const ARGV = ['--registry', 'http://registry.test'];

interface Running {
  readonly host: FakeHost;
  readonly code: Promise<number>;
  readonly ctx: CommandContext;
  readonly events: string[];
}

/** A daemon with two parts, started. `first` and `second` are how they stop. */
async function daemon(parts: Readonly<Record<string, () => Promise<void>>>, stopTimeout?: number): Promise<Running> {
  const host = new FakeHost(ARGV);
  const events: string[] = [];
  let started: (ctx: CommandContext) => void = () => undefined;
  const context = new Promise<CommandContext>((resolve) => {
    started = resolve;
  });
  const code = runCommand(
    EXAMPLE,
    async (_values, ctx) => {
      for (const [name, stop] of Object.entries(parts)) {
        ctx.onStop(name, async () => {
          events.push(name);
          await stop();
        });
      }
      started(ctx);
      await Promise.resolve();
    },
    host,
    stopTimeout === undefined ? {} : { stopTimeout },
  );
  return { host, code, ctx: await context, events };
}

const well = (): Promise<void> => Promise.resolve();
const never = (): Promise<void> => new Promise<void>(() => undefined);

function lines(text: string): readonly Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('help and version', () => {
  test.each([['--help'], ['-help'], ['-h']])('%s is answered whatever else is wrong', async (flag) => {
    const host = new FakeHost(['--bogus', flag]);
    expect(await runCommand(EXAMPLE, () => Promise.resolve(9), host)).toBe(0);
    expect(host.out).toMatch(/^Usage: example --registry URL \[flags\]\n/);
    expect(host.err).toBe('');
  });

  test.each([['--version'], ['-version'], ['-v']])('%s', async (flag) => {
    const host = new FakeHost([flag]);
    expect(await runCommand(EXAMPLE, () => Promise.resolve(9), host)).toBe(0);
    expect(host.out).toBe(`example ${version}\n`);
  });
});

describe('a command that does its work', () => {
  test('is given its values and ends with its code, its parts stopped', async () => {
    const host = new FakeHost([...ARGV, '--port', '5'], { A: 'b' });
    let stopped = false;
    const code = await runCommand(
      EXAMPLE,
      (values, ctx) => {
        ctx.onStop('it', () => Promise.resolve(void (stopped = true)));
        ctx.stdout.write(`${values.port} ${ctx.env['A'] ?? ''} ${ctx.version}`);
        return Promise.resolve(3);
      },
      host,
    );
    expect([code, stopped, host.out, host.listeners]).toEqual([3, true, `5 b ${version}`, 0]);
  });

  test('ends with 0 when it says nothing else', async () => {
    expect(await runCommand(EXAMPLE, () => Promise.resolve(), new FakeHost(ARGV))).toBe(0);
  });

  test.each([
    ['a wrong flag', MODAL, ['aply'], 'modal: the mode must be apply, plan or check, not "aply"\n', 1],
    [
      'a missing flag',
      EXAMPLE,
      ['--port', '0', ...ARGV],
      'example: --port must be a port from 1 to 65535, not "0"\n',
      2,
    ],
  ])('ends in one line for %s', async (_what, spec, argv, line, code) => {
    const host = new FakeHost(argv);
    expect(await runCommand(spec, () => Promise.resolve(9), host)).toBe(code);
    expect(host.err).toBe(line);
  });

  test.each([
    [new UsageError('the node file is wrong'), 'example: the node file is wrong\n', 2],
    [new CommandError('the registry does not answer'), 'example: the registry does not answer\n', 1],
    [new CommandError('needs auth', 79), 'example: needs auth\n', 79],
  ])('ends in one line for %s', async (error, line, code) => {
    const host = new FakeHost(ARGV);
    expect(await runCommand(EXAMPLE, () => Promise.reject<number>(error), host)).toBe(code);
    expect(host.err).toBe(line);
  });

  test('logs an error that it did not foresee, thrown or rejected', async () => {
    const host = new FakeHost(ARGV);
    const main = (): Promise<number> => {
      throw new TypeError('x is not a function');
    };
    expect(await runCommand(EXAMPLE, main, host)).toBe(70);
    expect(lines(host.err)).toEqual([
      expect.objectContaining({
        level: 'fatal',
        name: 'example',
        msg: 'unexpected error',
        err: expect.objectContaining({
          type: 'TypeError',
          message: 'x is not a function',
          stack: expect.stringContaining('run-command.test.ts') as string,
        }) as object,
      }),
    ]);
  });

  test('is asked by a signal to end, and may choose its code', async () => {
    const host = new FakeHost(ARGV);
    const code = runCommand(
      EXAMPLE,
      async (_values, { signal }) => {
        queueMicrotask(() => host.signal('SIGINT'));
        await once(signal, 'abort');
        return 5;
      },
      host,
    );
    expect(await code).toBe(5);
  });

  test('that a signal interrupts ends with the code of the signal', async () => {
    const host = new FakeHost(ARGV);
    const main = async (_values: unknown, { signal }: CommandContext): Promise<number> => {
      queueMicrotask(() => host.signal('SIGINT'));
      await once(signal, 'abort');
      throw new CommandError('the download was cut');
    };
    expect(await runCommand(EXAMPLE, main, host)).toBe(130);
    expect(lines(host.err).map(({ msg }) => msg)).toEqual(['stopping', 'interrupted']);
  });

  test('stops also what it starts while it is being interrupted', async () => {
    const host = new FakeHost(ARGV);
    const events: string[] = [];
    const main = async (_values: unknown, ctx: CommandContext): Promise<void> => {
      ctx.onStop('early', () => Promise.resolve(void events.push('early')));
      host.signal('SIGTERM');
      await new Promise((resolve) => setImmediate(resolve));
      ctx.onStop('late', () => Promise.resolve(void events.push('late')));
    };
    expect(await runCommand(EXAMPLE, main, host)).toBe(143);
    expect(events).toEqual(['early', 'late']);
  });
});

describe('a daemon', () => {
  test('stops on SIGTERM, last started first, with 0', async () => {
    const { host, code, ctx, events } = await daemon({ store: well, engine: well, mirror: well });
    host.signal('SIGTERM');
    expect(await code).toBe(0);
    expect(events).toEqual(['mirror', 'engine', 'store']);
    expect(ctx.signal.aborted).toBe(true);
    expect(lines(host.err)).toEqual([expect.objectContaining({ level: 'info', signal: 'SIGTERM', msg: 'stopping' })]);
    expect(host.listeners).toBe(0);
  });

  test('ends at once at the second signal', async () => {
    const { host, code, events } = await daemon({ store: well, mirror: never });
    host.signal('SIGTERM');
    host.signal('SIGINT');
    expect(await code).toBe(130);
    expect(events).toEqual(['mirror']);
  });

  test('that does not stop in time says what hangs', async () => {
    const { host, code } = await daemon({ store: well, engine: never, mirror: well }, 20);
    host.signal('SIGTERM');
    expect(await code).toBe(1);
    expect(lines(host.err).at(-1)).toMatchObject({
      level: 'error',
      msg: 'not stopped in time',
      parts: ['store', 'engine'],
    });
  });

  test('with a part that fails to stop says so', async () => {
    const { host, code, events } = await daemon({ store: well, mirror: () => Promise.reject(new Error('stuck')) });
    host.signal('SIGTERM');
    expect(await code).toBe(1);
    expect(events).toEqual(['mirror', 'store']);
    expect(lines(host.err).at(-1)).toMatchObject({
      err: { message: expect.stringMatching(/^mirror did not stop cleanly: stuck/) as string },
    });
  });

  test('ends when a part fails while it runs', async () => {
    const { host, code, ctx, events } = await daemon({ store: well, mirror: well });
    ctx.fail(new CommandError('the disk is gone', 4));
    expect(await code).toBe(4);
    expect(events).toEqual(['mirror', 'store']);
    expect(host.err).toBe('example: the disk is gone\n');
  });

  test('ends at once with a logged error that nobody handled', async () => {
    const { host, code, events } = await daemon({ mirror: well });
    host.unhandled(new Error('forgotten'));
    expect(await code).toBe(70);
    expect(events).toEqual([]);
    expect(lines(host.err)).toEqual([
      expect.objectContaining({ level: 'fatal', err: expect.objectContaining({ message: 'forgotten' }) as object }),
    ]);
  });
});
