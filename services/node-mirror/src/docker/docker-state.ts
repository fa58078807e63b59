import { normalisedMirror, normalisedMirrors, sameMirror } from '../mirror-url';
import { INSECURE } from './list-edits';
import { PROXY_KEYS, type Proxies } from './proxy-edits';

/** What dockerd is to have. */
export interface DockerWish {
  readonly mirror: string;
  /** Registries, `HOST[:PORT]`, or ranges of addresses for `insecure-registries`. */
  readonly insecure: readonly string[];
  /** What registries are to be asked through, for all but the mirror. */
  readonly proxy?: string;
}

/** What of dockerd's configuration is in force, as far as node-mirror changes it. */
export interface DockerState {
  readonly mirrors: readonly string[];
  /** Registries and ranges of addresses. */
  readonly insecure: readonly string[];
  readonly proxies: Proxies;
}

/** What of it is, or was, node-mirror's: all else is nobody's business here. */
export interface Ours {
  readonly mirrors: readonly string[];
  readonly insecure: readonly string[];
  readonly proxies: readonly string[];
}

/** dockerd has them whatever its file says. */
const ALWAYS_INSECURE = ['127.0.0.0/8', '::1/128'];

/** Of some proxies those that are ours. */
export function ownProxies(proxies: Proxies, ours: Ours): Proxies {
  return Object.fromEntries(
    PROXY_KEYS.flatMap((key) => {
      const proxy = proxies[key];
      return proxy !== undefined && ours.proxies.some((own) => sameMirror(own, proxy))
        ? [[key, normalisedMirror(proxy)] as const]
        : [];
    }),
  );
}

/** A state as a list in which two are equal when they are to node-mirror: all mirrors in order, and of the rest what is ours. */
export function describeState(state: DockerState, ours: Ours): readonly string[] {
  const insecure = ours.insecure
    .filter((own) => !ALWAYS_INSECURE.includes(own) && state.insecure.some((one) => INSECURE.same(one, own)))
    .map((own) => `${INSECURE.key} ${own.toLowerCase()}`);
  const proxies = Object.entries(ownProxies(state.proxies, ours)).map(([key, proxy]) => `${key} ${proxy}`);
  return [...normalisedMirrors(state.mirrors), ...[...new Set(insecure)].sort(), ...proxies];
}
