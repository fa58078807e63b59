import { reasonOf } from '../files/errno';
import { askJson } from '../http-json';
import { Refusal } from '../refusal';
import { valueAt } from '../toml/toml-text';
import type { DockerState } from './docker-state';

/** The part of `GET /info` that node-mirror reads (Docker Engine API, `SystemInfo`). */
export interface EngineInfo extends DockerState {
  readonly version: string;
  /** Whether containers go on while it restarts. */
  readonly liveRestore: boolean;
}

/** An answer of a few kilobytes is usual. */
const MAX_ANSWER = 4 * 1024 * 1024;

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one: unknown) => typeof one === 'string') : [];

function engineInfo(info: unknown): EngineInfo | undefined {
  const config = valueAt(info, 'RegistryConfig');
  if (typeof config !== 'object' || config === null) return undefined;
  const indexes = Object.entries(Object(valueAt(config, 'IndexConfigs')) as object);
  const proxy = (key: string): string => texts([valueAt(info, key)])[0] ?? '';
  const [http, https] = [proxy('HttpProxy'), proxy('HttpsProxy')];
  return {
    version: texts([valueAt(info, 'ServerVersion')])[0] ?? '',
    mirrors: texts(valueAt(config, 'Mirrors')),
    insecure: [
      ...indexes.filter(([, index]) => valueAt(index, 'Secure') === false).map(([host]) => host),
      ...texts(valueAt(config, 'InsecureRegistryCIDRs')),
    ],
    proxies: {
      ...(http === '' ? {} : { 'http-proxy': http }),
      ...(https === '' ? {} : { 'https-proxy': https }),
    },
    liveRestore: valueAt(info, 'LiveRestoreEnabled') === true,
  };
}

/**
 * Asks dockerd what is in force.
 *
 * @param socketPath of its API, resolved
 * @throws Refusal when it does not answer in time, or with something else
 */
export async function engineInfoOf(socketPath: string, timeoutMs: number): Promise<EngineInfo> {
  try {
    const limits = { timeoutMs, maxBytes: MAX_ANSWER };
    const { status, body } = await askJson({ socketPath, path: '/info', headers: { Host: 'docker' } }, limits);
    if (status !== 200) throw new Error(`it answered ${status} to GET /info`);
    const info = engineInfo(body);
    if (info === undefined) throw new Error('its answer to GET /info is not that of a Docker engine');
    return info;
  } catch (error) {
    throw new Refusal(`dockerd cannot be asked at ${socketPath}: ${reasonOf(error)}`, { cause: error });
  }
}
