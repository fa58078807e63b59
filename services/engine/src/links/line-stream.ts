import { LineCutter } from '@cdk8s-dragonfly/protocol';
import type { LineForm } from '@cdk8s-dragonfly/protocol';

import { LinkFailure, linkFailure } from './failure';
import type { Waiting } from './neighbour-patience';
import { Patience } from './patience';
import { StreamConnection } from './stream-connection';
import type { StreamTimeouts } from './stream-connection';

/** How a stream of lines is opened. Times are in milliseconds. */
export interface LineStreamOptions<T> {
  readonly timeouts: StreamTimeouts;
  readonly form: LineForm<T>;
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
 * such stream for each neighbour in each blob, and each brings a line for each block.
 *
 * @throws LinkFailure `gone` when it cannot be opened or breaks; `silent` when nothing comes for too long; `lying` when it is not of the protocol; the
 * signal's reason when it aborts; what `heard` throws.
 */
export async function followLines<T>(url: URL, options: LineStreamOptions<T>, heard: (line: T) => void): Promise<void> {
  const { form, headers = {}, silent, signal, timeouts, tuned } = options;
  let { silence } = options;
  const { wait = (lost: () => void): Waiting => new Patience(silence, lost) } = options;
  signal.throwIfAborted();
  const where = `${url.host}${url.pathname}`;
  await new Promise<void>((resolve, reject) => {
    let [lines, isEnded] = [0, false];
    const hear = (line: T): void => {
      if (isEnded) return;
      lines += 1;
      patience.renew();
      heard(line);
    };
    const ended = (reason: Error | undefined): void => {
      isEnded = true;
      patience.end();
      signal.removeEventListener('abort', abort);
      if (reason === undefined) resolve();
      else reject(signal.aborted ? reason : failureOf(reason, where));
    };
    const cutter = new LineCutter(form, hear);
    const connection = new StreamConnection({
      url,
      headers,
      timeouts,
      took: (...bytes) => cutter.cut(...bytes),
      ended,
    });
    const fallSilent = async (): Promise<void> => {
      const before = lines;
      const reason = new LinkFailure('silent', `${where} was silent for ${silence} ms`);
      const verdict = silent === undefined ? reason : await silent(reason);
      if (isEnded) return;
      if (verdict !== undefined && lines === before) connection.end(verdict);
      else waitAnew();
    };
    const waitAnew = (): void => {
      patience.end();
      patience = wait(lost);
    };
    const lost = (): void => void fallSilent().catch((error: unknown) => connection.end(linkFailure(error, where)));
    let patience = wait(lost);
    tuned?.((ms) => {
      if (ms === silence || isEnded) return;
      silence = ms;
      waitAnew();
    });
    const abort = (): void => connection.end(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
}

function failureOf(reason: Error, where: string): LinkFailure {
  if (reason.name !== 'LineError') return linkFailure(reason, where);
  return new LinkFailure('lying', `${where}: ${reason.message}`, { cause: reason });
}
