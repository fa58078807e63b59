import { request } from 'node:http';
import { reasonOf } from '../files/errno';
import { Refusal } from '../refusal';

/** The part of `GET /info` that node-mirror reads (Docker Engine API, `SystemInfo`). */
export interface EngineInfo {
  readonly version: string;
  /** The mirrors in force, in order. */
  readonly mirrors: readonly string[];
}

/** An answer of a few kilobytes is usual. */
const MAX_ANSWER = 4 * 1024 * 1024;

function engineInfo(value: unknown): EngineInfo | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const info: { ServerVersion?: unknown; RegistryConfig?: unknown } = value;
  if (typeof info.RegistryConfig !== 'object' || info.RegistryConfig === null) return undefined;
  const { Mirrors: mirrors }: { Mirrors?: unknown } = info.RegistryConfig;
  const list: readonly unknown[] = Array.isArray(mirrors) ? mirrors : [];
  return {
    version: typeof info.ServerVersion === 'string' ? info.ServerVersion : '',
    mirrors: list.filter((mirror) => typeof mirror === 'string'),
  };
}

async function get(socketPath: string, path: string, timeoutMs: number): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request({ socketPath, path, headers: { Host: 'docker' }, agent: false, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_ANSWER) answer.destroy(new Error(`its answer is longer than ${MAX_ANSWER} bytes`));
      });
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`it answered ${answer.statusCode ?? 0} to GET ${path}`));
      });
    });
    outgoing.on('error', (error) => {
      reject(signal.aborted ? new Error(`it did not answer within ${timeoutMs} ms`) : error);
    });
    outgoing.end();
  });
}

/**
 * Asks dockerd what is in force.
 *
 * @param socket path of its API socket, resolved
 * @throws Refusal when it does not answer in time, or with something else
 */
export async function engineInfoOf(socket: string, timeoutMs: number): Promise<EngineInfo> {
  try {
    const info = engineInfo(JSON.parse(await get(socket, '/info', timeoutMs)));
    if (info === undefined) throw new Error('its answer to GET /info is not that of a Docker engine');
    return info;
  } catch (error) {
    throw new Refusal(`dockerd cannot be asked at ${socket}: ${reasonOf(error)}`, { cause: error });
  }
}
