import { CommandError } from '@cdk8s-dragonfly/command';

/** Where the bytes that a df-daemon gave its runtime came from. */
export interface BytesBySource {
  /** Its own store. */
  readonly local: number;
  /** Other df-daemons. */
  readonly peer: number;
  readonly supernode: number;
  /** The registry itself. */
  readonly origin: number;
}

const TIMEOUT = 5_000;

/**
 * Asks a df-daemon where its bytes came from: `GET /stats` where it answers `/readyz`.
 *
 * @param address its `--ops-listen` as `HOST:PORT`
 * @throws CommandError when it does not tell
 */
export async function readBytesBySource(address: string, signal: AbortSignal): Promise<BytesBySource> {
  const url = `http://${address}/stats`;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const bytes = memberOf(await response.json(), 'bytes');
    return {
      local: count(bytes, 'local'),
      peer: count(bytes, 'peer'),
      supernode: count(bytes, 'supernode'),
      origin: count(bytes, 'origin'),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${url} does not say where the bytes came from: ${reason}`, 1, { cause: error });
  }
}

function count(bytes: unknown, name: string): number {
  const value = memberOf(bytes, name);
  if (typeof value === 'number') return value;
  throw new Error(`the answer has no number bytes.${name}`);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
