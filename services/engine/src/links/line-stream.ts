import { LineCutter } from '@cdk8s-dragonfly/protocol';
import type { LineSchema } from '@cdk8s-dragonfly/protocol';
import type { Dispatcher } from 'undici';

import { LinkFailure, linkFailure } from './failure';
import type { Waiting } from './neighbour-patience';
import { Patience } from './patience';

/** How a stream of lines is opened. Times are in milliseconds. */
export interface LineStreamOptions<T> {
  readonly dispatcher: Dispatcher;
  readonly schema: LineSchema<T>;
  /** The longest time without a line; the server pings more often. */
  readonly silence: number;
  /** Who waits that long, and then calls `lost`. Default: a patience for this stream alone. */
  readonly wait?: ((lost: () => void) => Waiting) | undefined;
  /**
   * Is asked when nothing came for that time, and tells why the stream is to be given up; undefined: it is waited on for as long again. What
   * comes meanwhile decides. Default: it is given up.
   */
  readonly silent?: ((reason: LinkFailure) => Promise<LinkFailure | undefined>) | undefined;
  /** Headers of the request. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Is given what changes {@link silence} from now on. Default: it stays as it is. */
  readonly tuned?: ((change: (silence: number) => void) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Tells `heard` the documents of a stream that the server keeps open, as they come. Resolves when the server ends it. A node has one
 * such stream for each neighbour in each blob, and each brings a line for each block: they are taken straight from the connection.
 *
 * @throws LinkFailure `gone` when it cannot be opened or breaks; `silent` when nothing comes for too long; `lying` when it is not of the protocol; the
 * signal's reason when it aborts; what `heard` throws.
 */
export async function followLines<T>(url: URL, options: LineStreamOptions<T>, heard: (line: T) => void): Promise<void> {
  const { dispatcher, headers = {}, schema, silent, signal, tuned } = options;
  let { silence } = options;
  const { wait = (lost: () => void): Waiting => new Patience(silence, lost) } = options;
  signal.throwIfAborted();
  const { origin, host, pathname, search } = url;
  const where = `${host}${pathname}`;
  await new Promise<void>((resolve, reject) => {
    let lines = 0;
    const renew = (): void => {
      lines += 1;
      patience.renew();
    };
    const stream = new LineStream<T>({ where, cutter: new LineCutter(schema), heard, renew });
    const fallSilent = async (): Promise<void> => {
      const before = lines;
      const reason = new LinkFailure('silent', `${where} was silent for ${silence} ms`);
      const verdict = silent === undefined ? reason : await silent(reason);
      if (stream.isEnded) return;
      if (verdict !== undefined && lines === before) stream.end(verdict);
      else waitAnew();
    };
    const waitAnew = (): void => {
      patience.end();
      patience = wait(lost);
    };
    const lost = (): void => void fallSilent().catch((error: unknown) => stream.end(linkFailure(error, where)));
    let patience = wait(lost);
    tuned?.((ms) => {
      if (ms === silence || stream.isEnded) return;
      silence = ms;
      waitAnew();
    });
    const abort = (): void => stream.end(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    stream.ended = (reason) => {
      patience.end();
      signal.removeEventListener('abort', abort);
      if (reason === undefined) resolve();
      else reject(reason);
    };
    dispatcher.dispatch({ origin, path: `${pathname}${search}`, method: 'GET', headers }, stream);
  });
}

interface Listening<T> {
  readonly where: string;
  readonly cutter: LineCutter<T>;
  readonly heard: (line: T) => void;
  /** Something was heard. */
  readonly renew: () => void;
}

/** One stream. */
class LineStream<T> implements Dispatcher.DispatchHandler {
  /** Called once. */
  ended: (reason: Error | undefined) => void = () => undefined;
  private controller: Dispatcher.DispatchController | undefined;
  isEnded = false;
  private reason: Error | undefined;

  constructor(private readonly listening: Listening<T>) {}

  /** Nothing more is heard. @param reason why it was given up; undefined: the server has ended it. */
  end(reason: Error | undefined): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.reason = reason;
    if (reason !== undefined) this.controller?.abort(reason);
    this.ended(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.reason !== undefined) controller.abort(this.reason);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    if (statusCode === 200 || statusCode < 200) return;
    this.end(new LinkFailure('lying', `${this.listening.where} answered ${statusCode} instead of a stream`));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { cutter, heard, renew, where } = this.listening;
    try {
      for (const line of cutter.cut(chunk)) {
        if (this.isEnded) return;
        renew();
        heard(line);
      }
    } catch (error) {
      const isLying = error instanceof Error && error.name === 'LineError';
      this.end(
        isLying ? new LinkFailure('lying', `${where}: ${error.message}`, { cause: error }) : linkFailure(error, where),
      );
    }
  }

  onResponseEnd(): void {
    this.end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.end(linkFailure(error, this.listening.where));
  }
}
