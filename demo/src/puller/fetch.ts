import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { PullError } from './pull-error';

export interface FetchOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the connection may stand still, before the answer and in the middle of it, in milliseconds. */
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
}

const ERROR_BODY_LIMIT = 4096;

/**
 * Asks for `url` over a connection of its own, as docker does.
 *
 * @returns the answer with status 200, its body not yet read
 * @throws PullError when the connection fails, stands still, or the status is another one
 */
export async function fetchOk(url: URL, options: FetchOptions): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const request = get(url, { agent: false, headers: options.headers, signal: options.signal }, (incoming) => {
      answer = incoming;
      resolve(incoming);
    });
    request.on('error', (error) => reject(new PullError(`GET ${url.href}: ${error.message}`, { cause: error })));
    request.setTimeout(options.stallTimeoutMs, () => {
      (answer ?? request).destroy(new Error(`nothing came for ${options.stallTimeoutMs} ms`));
    });
  });
  if (response.statusCode === 200) return response;
  const body = await firstBytes(response);
  throw new PullError(`GET ${url.href}: status ${response.statusCode ?? 0} ${body}`.trim());
}

async function firstBytes(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length >= ERROR_BODY_LIMIT) break;
  }
  return text.slice(0, ERROR_BODY_LIMIT).trim();
}
