import { readLines } from '@cdk8s-dragonfly/protocol';
import { request } from 'undici';
import type { Dispatcher } from 'undici';

import { LinkFailure, linkFailure } from './failure';
import { Patience } from './patience';

/** How a stream of lines is opened. Times are in milliseconds. */
export interface LineStreamOptions<T> {
  readonly dispatcher: Dispatcher;
  readonly schema: Parameters<typeof readLines<T>>[1];
  /** The longest time without a line; the server pings more often. */
  readonly silence: number;
  /** Headers of the request. Default: none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/**
 * The documents of a stream that the server keeps open, as they come. It ends when the server ends it.
 *
 * @throws LinkFailure `gone` when it cannot be opened or breaks; `silent` when nothing comes for too long; `lying` when it is not of the protocol; the
 * signal's reason when it aborts.
 */
export async function* openLines<T>(url: URL, options: LineStreamOptions<T>): AsyncGenerator<T> {
  const { dispatcher, headers = {}, schema, silence, signal } = options;
  const where = `${url.host}${url.pathname}`;
  const silent = new AbortController();
  const patience = new Patience(silence, () => {
    silent.abort(new LinkFailure('silent', `${where} was silent for ${silence} ms`));
  });
  try {
    const answer = await request(url, { dispatcher, headers, signal: AbortSignal.any([signal, silent.signal]) });
    if (answer.statusCode !== 200) {
      answer.body.on('error', () => undefined).destroy();
      throw new LinkFailure('lying', `${where} answered ${answer.statusCode} instead of a stream`);
    }
    for await (const line of readLines<T>(answer.body, schema)) {
      patience.renew();
      yield line;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (silent.signal.aborted) throw silent.signal.reason;
    if (error instanceof Error && error.name === 'LineError') {
      throw new LinkFailure('lying', `${where}: ${error.message}`, { cause: error });
    }
    throw linkFailure(error, where);
  } finally {
    patience.end();
  }
}
