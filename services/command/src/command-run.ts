import { signalExitCode, type CommandHost, type StopSignal } from './command-host';
import { Lifecycle, StopError } from './lifecycle';
import type { Log } from './log';
import type { Environment } from './parse-command';

/** What a command is given beside its values. */
export interface CommandContext {
  readonly log: Log;
  /** Takes the parts that were started. They stop when the command ends, however it ends, last started first. */
  readonly lifecycle: Lifecycle;
  /** Has `stop` called when the command ends, as if it were that of a part. */
  onStop(what: string, stop: () => Promise<void>): void;
  /** Aborts when the command shall end. */
  readonly signal: AbortSignal;
  /** Ends the command as if its main function had thrown: for a part that fails while it runs. */
  fail(error: unknown): void;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Environment;
  /** The version of the command, such as `0.1.0`. */
  readonly version: string;
}

/** What a run needs. */
export interface CommandRunOptions {
  readonly host: CommandHost;
  readonly log: Log;
  readonly version: string;
  /** Milliseconds. */
  readonly stopTimeout: number;
  /** Tells the user why the command fails; gives the exit code. */
  readonly fail: (error: unknown) => number;
}

type Work = (ctx: CommandContext) => Promise<number> | Promise<void>;

/** Why a command ends. */
type Ending =
  | { readonly kind: 'done'; readonly code: number | undefined }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'signal'; readonly signal: StopSignal };

/** One run of a command's main function: from its start until all that it started has stopped. */
export class CommandRun {
  readonly #options: CommandRunOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #stopping = new AbortController();
  #stopTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(options: CommandRunOptions) {
    this.#options = options;
  }

  /** Calls `work` and waits for the end. @returns The exit code. */
  async end(work: Work): Promise<number> {
    const { host, fail } = this.#options;
    const interruption = deferred<Ending>();
    const atOnce = deferred<number>();
    let signals = 0;
    const offSignal = host.onSignal((signal) => {
      signals++;
      if (signals === 1) interruption.resolve({ kind: 'signal', signal });
      else atOnce.resolve(signalExitCode(signal));
    });
    const offUnhandled = host.onUnhandled((error) => atOnce.resolve(fail(error)));
    try {
      return await Promise.race([this.#supervise(work, interruption), atOnce.promise]);
    } finally {
      offSignal();
      offUnhandled();
      this.#isOver = true;
      clearTimeout(this.#stopTimer);
    }
  }

  async #supervise(work: Work, interruption: Deferred<Ending>): Promise<number> {
    const done = settle(work, this.#context(interruption));
    let ending = await Promise.race([done, interruption.promise]);
    const isServing = ending.kind === 'done' && ending.code === undefined && this.#lifecycle.parts.length > 0;
    if (isServing) ending = await interruption.promise;
    if (ending.kind === 'signal') this.#options.log.info({ signal: ending.signal }, 'stopping');
    this.#stopping.abort();
    const isClean = await this.#stop(done);
    const code = isServing && ending.kind === 'signal' ? 0 : await this.#exitCode(ending, isClean ? done : undefined);
    return code === 0 && !isClean ? 1 : code;
  }

  async #exitCode(ending: Ending, done: Promise<Ending> | undefined): Promise<number> {
    if (ending.kind === 'done') return ending.code ?? 0;
    if (ending.kind === 'failed') return this.#options.fail(ending.error);
    const result = await done;
    if (result?.kind === 'failed') this.#options.log.info({ err: result.error }, 'interrupted');
    return (result?.kind === 'done' ? result.code : undefined) ?? signalExitCode(ending.signal);
  }

  /** Stops the parts, and those that the main function still starts meanwhile. @returns Whether all ended well in time. */
  async #stop(done: Promise<Ending>): Promise<boolean> {
    const { log, stopTimeout } = this.#options;
    const stopped = (async (): Promise<boolean> => {
      const first = await this.#stopParts();
      await done;
      return (await this.#stopParts()) && first;
    })();
    const late = deferred<false>();
    if (this.#isOver) return false;
    this.#stopTimer = setTimeout(() => {
      log.error({ parts: this.#lifecycle.parts, stopTimeout }, 'not stopped in time');
      late.resolve(false);
    }, stopTimeout);
    return Promise.race([stopped, late.promise]);
  }

  async #stopParts(): Promise<boolean> {
    try {
      await this.#lifecycle.stop();
      return true;
    } catch (error) {
      const errors: readonly unknown[] = error instanceof StopError ? error.errors : [error];
      for (const err of errors) this.#options.log.error({ err }, 'a part did not stop cleanly');
      return false;
    }
  }

  #context(interruption: Deferred<Ending>): CommandContext {
    const { host, log, version } = this.#options;
    const lifecycle = this.#lifecycle;
    return {
      log,
      lifecycle,
      onStop: (what, stop) => void lifecycle.add(what, { stop }),
      signal: this.#stopping.signal,
      fail: (error) => interruption.resolve({ kind: 'failed', error }),
      stdout: host.stdout,
      stderr: host.stderr,
      env: host.env,
      version,
    };
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((resolvePromise) => {
    resolve = resolvePromise;
  });
  return { promise, resolve };
}

async function settle(work: Work, ctx: CommandContext): Promise<Ending> {
  try {
    const code = await work(ctx);
    return { kind: 'done', code: typeof code === 'number' ? code : undefined };
  } catch (error) {
    return { kind: 'failed', error };
  }
}
