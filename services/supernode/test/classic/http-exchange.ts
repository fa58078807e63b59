import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** An answer as it came; `complete` is false when the connection closed too early. */
export interface Exchange {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly complete: boolean;
}

/** What to send, byte for byte: nothing is escaped. */
export interface Outgoing {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const agent = new Agent({ keepAlive: false });

/** One HTTP request; an answer must come within 10 s. */
export async function exchange({ host, port, path, method = 'GET', headers = {}, body }: Outgoing): Promise<Exchange> {
  const outgoing = request({ host, port, path, method, headers, agent, signal: AbortSignal.timeout(10_000) });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve) => incoming.once('close', () => resolve()));
  incoming.on('error', () => incoming.destroy());
  await ended;
  const { statusCode: status = 0, headers: answered, complete } = incoming;
  return { status, headers: answered, body: Buffer.concat(chunks), complete };
}
