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
 * Asks a df-daemon where its bytes came from: `GET /metrics` where it answers `/readyz`.
 *
 * @param address its `--ops-listen` as `HOST:PORT`
 * @throws CommandError when it does not tell
 */
export async function readBytesBySource(address: string, signal: AbortSignal): Promise<BytesBySource> {
  const url = `http://${address}/metrics`;
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const metrics = await response.text();
    return {
      local: bytesOf('local', metrics),
      peer: bytesOf('peer', metrics),
      supernode: bytesOf('supernode', metrics),
      origin: bytesOf('origin', metrics),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${url} does not say where the bytes came from: ${reason}`, 1, { cause: error });
  }
}

function bytesOf(source: string, metrics: string): number {
  const line = new RegExp(`^dragonfly_dfdaemon_bytes_total\\{source="${source}"\\} (\\d+)$`, 'm').exec(metrics);
  if (line === null) throw new Error(`the answer has no dragonfly_dfdaemon_bytes_total of source ${source}`);
  return Number(line[1]);
}
