import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const LIMIT = 15_000;

const FROM_SOURCE = join(__dirname, '../../../test/support/from-source.js');

/** A real process that is killed when the test ends, however it ends. */
class Child {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown[]>;
  err = '';
  #out = '';

  /** @param redirection of the shell, such as `2>/dev/full`. */
  constructor(argv: readonly string[], redirection = '') {
    const script = join(__dirname, 'fixtures', 'process.ts');
    const command = [process.execPath, '-r', FROM_SOURCE, script, ...argv];
    this.#process = spawn('sh', ['-c', `exec "$@" ${redirection}`, 'sh', ...command], {
      timeout: LIMIT,
      killSignal: 'SIGKILL',
    });
    this.#exit = once(this.#process, 'close');
    this.#process.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
    this.#process.stdout.on('data', (chunk: Buffer) => (this.#out += chunk.toString()));
  }

  async says(text: string): Promise<void> {
    while (!this.#out.includes(text)) await once(this.#process.stdout, 'data', { signal: AbortSignal.timeout(LIMIT) });
  }

  closeOutput(): void {
    this.#process.stdout.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async exit(): Promise<unknown> {
    const [code, signal] = await this.#exit;
    return code ?? signal;
  }
}

describe('a launched command', () => {
  test('stops on SIGTERM with 0', async () => {
    const child = new Child(['apply']);
    await child.says('started');
    child.kill('SIGTERM');
    expect(await child.exit()).toBe(0);
    await child.says('stopping');
  });

  test('ends at once at the second signal', async () => {
    const child = new Child(['apply', '-u', 'http://stuck/']);
    await child.says('started');
    child.kill('SIGTERM');
    await child.says('stopping');
    child.kill('SIGTERM');
    expect(await child.exit()).toBe(143);
  });

  test('ends with 70 and the stack of a rejection that nobody handled', async () => {
    const child = new Child(['plan']);
    expect(await child.exit()).toBe(70);
    expect(child.err).toContain('"message":"forgotten","stack":"Error: forgotten\\n    at ');
  });

  test('ends with 70 when nothing is left to wait for', async () => {
    const child = new Child(['check']);
    expect(await child.exit()).toBe(70);
    expect(child.err).toContain('modal: ended with its work unfinished: nothing was left to wait for\n');
  });

  test('does not mind that nobody reads its help', async () => {
    const child = new Child(['--help']);
    child.closeOutput();
    expect(await child.exit()).toBe(0);
  });

  test('goes on without a log that its disk does not take', async () => {
    const child = new Child(['apply'], '2>/dev/full');
    await child.says('started');
    child.kill('SIGTERM');
    expect(await child.exit()).toBe(0);
  });

  test('fails when a disk does not take what it was asked for', async () => {
    expect(await new Child(['--help'], '>/dev/full').exit()).toBe(1);
  });
});
