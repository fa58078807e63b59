import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { CommandHost, Environment, StopSignal } from '../src';
import { memoryFiles } from './memory-files';

/** A process in memory: what a command writes, and the signals that a test sends. */
export class FakeHost implements CommandHost {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly readFile: ReturnType<typeof memoryFiles>;
  readonly #events = new EventEmitter();

  constructor(argv: readonly string[], env: Environment = {}, files: Parameters<typeof memoryFiles>[0] = {}) {
    this.argv = argv;
    this.env = env;
    this.readFile = memoryFiles(files);
  }

  onSignal(listener: (signal: StopSignal) => void): () => void {
    this.#events.on('signal', listener);
    return () => void this.#events.off('signal', listener);
  }

  onUnhandled(listener: (error: unknown) => void): () => void {
    this.#events.on('unhandled', listener);
    return () => void this.#events.off('unhandled', listener);
  }

  signal(name: StopSignal): void {
    this.#events.emit('signal', name);
  }

  unhandled(error: unknown): void {
    this.#events.emit('unhandled', error);
  }

  /** How many callbacks are still registered. */
  get listeners(): number {
    return this.#events.listenerCount('signal') + this.#events.listenerCount('unhandled');
  }

  get out(): string {
    return textIn(this.stdout);
  }

  get err(): string {
    return textIn(this.stderr);
  }
}

function textIn(stream: PassThrough): string {
  const chunk: unknown = stream.read();
  return Buffer.isBuffer(chunk) ? chunk.toString('utf8') : '';
}
