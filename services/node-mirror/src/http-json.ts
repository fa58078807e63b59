import { type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions as TlsOptions } from 'node:https';
import { jsonOf } from './json';

/** An answer of a server that speaks JSON. */
export interface JsonAnswer {
  readonly status: number;
  /** `undefined`: it is no JSON. */
  readonly body: unknown;
}

/** What one question may cost. */
export interface AskLimits {
  readonly timeoutMs: number;
  /** Of the answer, in bytes. */
  readonly maxBytes: number;
}

/**
 * One request to a server of JSON: by TLS with a `ca`, else by plain HTTP, such as on a unix socket.
 *
 * @throws Error, the system's with its code, when nobody answers in time, or with too much
 */
export async function askJson(
  where: RequestOptions & Pick<TlsOptions, 'ca'>,
  { timeoutMs, maxBytes }: AskLimits,
  body?: string,
): Promise<JsonAnswer> {
  return await new Promise<JsonAnswer>((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = where.ca === undefined ? httpRequest : httpsRequest;
    const outgoing = request({ ...where, agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxBytes) answer.destroy(new Error(`its answer is longer than ${maxBytes} bytes`));
      });
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, body: jsonOf(Buffer.concat(chunks).toString('utf8')) });
      });
    });
    outgoing.on('error', (error) => {
      reject(signal.aborted ? new Error(`it did not answer within ${timeoutMs} ms`) : error);
    });
    outgoing.end(body);
  });
}
