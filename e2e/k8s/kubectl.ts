import { spawn } from 'node:child_process';

/** What a command said, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly input?: string; readonly limitMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Outcome> {
  const { input, limitMs = 420_000, signal } = options;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: limitMs, signal });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 1));
  });
  return { code, stdout, stderr };
}

/** The words of a command line, without quotes: `kubectl`, or `ssh host kubectl`. */
export function words(line: string): [string, ...string[]] {
  const [first, ...rest] = line.split(' ').filter((word) => word !== '');
  if (first === undefined) {
    throw new Error('a command is empty: name a program.');
  }
  return [first, ...rest];
}

/** `kubectl` for one cluster: that of KUBECONFIG. */
export class Kubectl {
  private readonly command: [string, ...string[]];
  #going = new AbortController();

  /** @param command the program, with arguments of its own in front of ours */
  public constructor(command: string) {
    this.command = words(command);
  }

  /** Ends what runs, and refuses what comes, until {@link goOn}: whoever waits for the cluster learns of it by an error. */
  public interrupt(): void {
    this.#going.abort();
  }

  /** Takes commands again. */
  public goOn(): void {
    this.#going = new AbortController();
  }

  /** @throws Error with what kubectl said */
  public async ok(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.any(args, input);
    if (code !== 0) {
      throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
    }
    return stdout;
  }

  public any(args: readonly string[], input?: string): Promise<Outcome> {
    const [program, ...first] = this.command;
    const { signal } = this.#going;
    return run(program, [...first, ...args], { signal, ...(input === undefined ? {} : { input }) });
  }

  public async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.ok([...args, '-o', 'json'])) as T;
  }
}

/** Asks until there is an answer. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, limitMs = 120_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (Date.now() > end) {
      throw new Error(`${what} did not happen within ${limitMs / 1000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
