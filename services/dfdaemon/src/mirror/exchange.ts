import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { rawHeadersOf } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** How long a response may make no progress, in milliseconds. */
export interface Patience {
  /** Without a byte from swarm or registry. */
  readonly source: number;
  /** Without the client taking a byte. */
  readonly client: number;
}

const CLIENT_GONE = 'the client went away';

/** A response broke off: the connection is closed, so that no client takes what it has for the whole. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';

  /** @param byClient whether the client, and not where the bytes come from, is the reason. */
  constructor(
    message: string,
    readonly byClient = false,
  ) {
    super(message);
  }
}

/** One request and the answer that is being given to it. */
export class Exchange {
  readonly #abort = new AbortController();
  readonly #started = performance.now();
  #sent = 0;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly patience: Patience,
  ) {
    const gone = (): void => this.#abort.abort(new BrokenOff(CLIENT_GONE, true));
    response.once('close', () => {
      if (!response.writableFinished) gone();
    });
    // The only sign for an answer that waits behind another one of its connection (RFC 9112, 9.3.2).
    request.once('close', () => {
      if (request.socket.destroyed && !response.writableFinished) gone();
    });
  }

  /**
   * Resolves when all answers before this one have been given to the connection: what a client asks for without waiting for them costs
   * neither a download nor memory until then.
   *
   * @throws BrokenOff when the client goes away before.
   */
  async turn(): Promise<void> {
    if (this.response.socket !== null) return;
    const behind = once(this.response, 'socket', { signal: this.signal });
    await behind.catch((error: unknown) => {
      this.signal.throwIfAborted();
      throw error;
    });
  }

  /** Aborted when the client is gone, or the exchange was cut. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Bytes of the body that were given to the connection. */
  get sent(): number {
    return this.#sent;
  }

  /** Since the request's head was read, in milliseconds. */
  get elapsed(): number {
    return performance.now() - this.#started;
  }

  /** Ends the exchange at once, without a clean end. */
  cut(reason: Error): void {
    this.#abort.abort(reason);
    this.response.destroy();
  }

  /** A whole short answer. */
  reply(status: number, headers: readonly HeaderLine[], body: string | Buffer): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.response.writeHead(status, rawHeadersOf([...headers, ['Content-Length', `${bytes.length}`]]));
    if (this.request.method !== 'HEAD') {
      this.#sent += bytes.length;
      this.response.end(bytes);
    } else {
      this.response.end();
    }
  }

  /** The head of an answer; {@link send} gives its body. */
  head(status: number, headers: readonly HeaderLine[]): void {
    this.response.writeHead(status, rawHeadersOf(headers));
  }

  /**
   * Gives the body, no faster than the client takes it: the next chunk is asked for when the connection has passed on the
   * last one. On any failure the connection is closed.
   *
   * @param expected the length that the head promised; undefined: none
   * @throws BrokenOff when the client goes away or is too slow, or the source is silent or does not keep to `expected`; whatever the
   * source throws.
   */
  async send(source: AsyncIterator<Uint8Array, unknown>, expected: number | undefined): Promise<void> {
    let reading = false;
    try {
      for (;;) {
        reading = true;
        const step = await this.wait(source.next(), this.patience.source, 'no byte came');
        reading = false;
        if (step.done === true) break;
        await this.#give(step.value, expected);
      }
      if (expected !== undefined && this.#sent !== expected) {
        throw new BrokenOff(`${this.#sent} bytes came instead of the ${expected} that were promised`);
      }
      this.signal.throwIfAborted();
      this.response.end();
    } catch (error) {
      this.cut(error instanceof Error ? error : new BrokenOff(String(error)));
      // A source that is being read ends by the signal or has failed; one that waits for its reader is told.
      if (!reading) await source.return?.();
      throw error;
    }
  }

  /**
   * Resolves when the connection has taken the last byte of the answer.
   *
   * @throws BrokenOff when it is closed before, or the client takes no byte for too long.
   */
  async finished(): Promise<void> {
    if (this.response.writableFinished) return;
    const finish = once(this.response, 'finish', { signal: this.signal });
    await this.waitForClient(finish);
  }

  async #give(chunk: Uint8Array, expected: number | undefined): Promise<void> {
    if (expected !== undefined && this.#sent + chunk.byteLength > expected) {
      throw new BrokenOff(`more bytes came than the ${expected} that were promised`);
    }
    this.#sent += chunk.byteLength;
    // The memory of a chunk may be used for another as soon as the next is asked for.
    await this.waitForClient(
      new Promise<void>((resolve, reject) => {
        this.response.write(chunk, (error) => {
          // Of a connection that is closed already, what was left of it counts as written.
          if (error == null && !this.request.socket.destroyed) resolve();
          else reject(new BrokenOff(CLIENT_GONE, true));
        });
      }),
    );
  }

  private async waitForClient<T>(promise: Promise<T>): Promise<T> {
    return this.wait(promise, this.patience.client, 'the client took no byte', true);
  }

  /**
   * Waits for `promise` for at most `limit` milliseconds; then the exchange is cut.
   *
   * @throws BrokenOff when the exchange is aborted before `promise` is settled; whatever `promise` throws.
   */
  async wait<T>(promise: Promise<T>, limit: number, what: string, byClient = false): Promise<T> {
    const timer = setTimeout(() => this.cut(new BrokenOff(`${what} for ${limit / 1000} s`, byClient)), limit);
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = (): void => reject(this.signal.reason as Error);
      if (this.signal.aborted) onAbort();
      else this.signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      clearTimeout(timer);
      if (onAbort !== undefined) this.signal.removeEventListener('abort', onAbort);
    }
  }
}
