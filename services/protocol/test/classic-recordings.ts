import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../../../test/fixtures/recordings');

/** A body as the recordings keep it; long and binary ones as digest, length and their first and last 8 bytes in hex. */
export interface RecordedBody {
  readonly json?: unknown;
  readonly text?: string;
  readonly length?: number;
  readonly first8?: string;
  readonly last8?: string;
}

/** One HTTP exchange of original Dragonfly 0.x programs. */
export interface Exchange {
  readonly file: string;
  readonly role: string;
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly query: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body?: RecordedBody;
  };
  readonly response: { readonly status: number; readonly body?: RecordedBody } | null;
}

/** All recorded exchanges, bare TCP connections left out. */
export function recordedExchanges(): Exchange[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => {
      const recording = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { exchanges: Exchange[] };
      return recording.exchanges
        .filter((exchange) => 'request' in exchange)
        .map((exchange) => ({ ...exchange, file: name.slice(0, 2) }));
    });
}

/** A recorded body as text. */
export function bodyText(body: RecordedBody | undefined): string {
  return body?.json === undefined ? (body?.text ?? '') : JSON.stringify(body.json);
}

/** The value of a request header, whatever the case of its name. */
export function headerOf(exchange: Exchange, name: string): string | undefined {
  return exchange.request.headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1];
}
