import type { Outward } from './connections';
import { Proxies } from './proxies';
import type { OriginLog } from './origin-log';
import { Trust } from './trust';
import type { TrustEntry } from './trust';

/** The values of the flags that say how origins are reached: `[HOST=]FILE` each. */
export interface OutwardValues {
  readonly originCa: readonly string[];
  readonly originCert: readonly string[];
  readonly originKey: readonly string[];
}

const HOST = /^((?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?)=(.+)$/;

/**
 * How origins are reached, from flags and from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`; `NODE_EXTRA_CA_CERTS`, which
 * Node reads by itself where there are none of ours).
 *
 * @param more further certificates.
 * @throws Error, one sentence: which flag, file or variable is wrong, and how.
 */
export function outwardFrom(
  values: OutwardValues,
  env: Readonly<Record<string, string | undefined>>,
  log?: OriginLog,
  more: readonly TrustEntry[] = [],
): Outward {
  const trust = new Trust([...trustEntries(values), ...more], log, env['NODE_EXTRA_CA_CERTS']);
  return { trust, proxies: new Proxies(env) };
}

function trustEntries({ originCa, originCert, originKey }: OutwardValues): readonly TrustEntry[] {
  const certs = pairsOf('--origin-cert', originCert);
  const keys = pairsOf('--origin-key', originKey);
  const lonely = [...certs.keys(), ...keys.keys()].find((host) => !certs.has(host) || !keys.has(host));
  if (lonely !== undefined) {
    throw new Error(`--origin-cert and --origin-key go together: give both for ${lonely}`);
  }
  return [
    ...originCa.map((text) => {
      const [, host, , file] = HOST.exec(text) ?? [];
      return { host: host === undefined ? undefined : hostOf(host), ca: [file ?? text] };
    }),
    ...[...certs].map(([host, cert]) => ({ host: hostOf(host), cert, key: keys.get(host) })),
  ];
}

function pairsOf(flag: string, values: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const text of values) {
    const [, host, , file] = HOST.exec(text) ?? [];
    if (host === undefined || file === undefined) {
      throw new Error(`${flag} must be HOST[:PORT]=FILE, such as registry.example.com=/etc/dragonfly/client.pem`);
    }
    if (pairs.has(host)) throw new Error(`${flag} is given twice for ${host}; give it once`);
    pairs.set(host, file);
  }
  return pairs;
}

function hostOf(text: string): { readonly host: string; readonly port: number | undefined } {
  const url = new URL(`http://${text}`);
  // `:80` is the default of http, and is dropped by the parser.
  const port = /:([0-9]+)$/.exec(text.replace(/^\[.*\]/, ''))?.[1];
  return { host: url.hostname, port: port === undefined ? undefined : Number(port) };
}
