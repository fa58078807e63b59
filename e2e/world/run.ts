import { execFile } from 'node:child_process';

export interface RunOptions {
  /** The command is killed after this many milliseconds. Default 30 000. */
  readonly limitMs?: number;
  /** Kills the command. */
  readonly signal?: AbortSignal;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to standard output
 * @throws Error with the command and what it wrote to standard error, when it fails or does not end in time
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [command = '', ...args] = argv;
  const limitMs = options.limitMs ?? 30_000;
  return await new Promise((resolve, reject) => {
    const settings = {
      timeout: limitMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
      encoding: 'utf8',
      env: { ...process.env, ...options.env },
    } as const;
    const child = execFile(command, args, settings, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const how = error.killed === true ? `did not end within ${limitMs} ms` : `failed (${error.code ?? error.signal})`;
      const said = [stderr, stdout, error.message].map((text) => text.trim()).find((text) => text !== '');
      reject(new Error(`${argv.join(' ')} ${how}: ${said}`));
    });
    // Not execFile's own `signal`, which reports before the process has gone.
    options.signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
  });
}
