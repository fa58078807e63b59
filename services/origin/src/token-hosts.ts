import { canonicalHost, hostOf, portOf } from './host-port';
import type { HostPort } from './host-port';

/** Token servers at hosts other than their registry's that are known to belong to it. */
const KNOWN = ['docker.io=auth.docker.io', 'registry-1.docker.io=auth.docker.io', 'registry.gitlab.com=gitlab.com'];

/** A registry, and a token server that belongs to it. */
interface Pair {
  readonly registry: HostPort;
  readonly server: HostPort;
}

/**
 * Which token servers may be shown a registry's credentials: one at its own host, and those that are known or configured to belong to it, over
 * https; never whatever host a challenge names, or a registry that is taken over sends its users' passwords to whom it likes.
 */
export class TokenHosts {
  private readonly pairs: readonly Pair[];
  /** The hosts that are configured: they may be asked although they may be inside. */
  readonly configured: readonly HostPort[];

  /**
   * @param configured `REGISTRY[:PORT]=HOST[:PORT]` each; without a port, all ports of that host are meant.
   * @throws Error for one that is no such pair.
   */
  constructor(configured: readonly string[] = []) {
    const pairs = configured.map(pairOf);
    this.configured = pairs.map(({ server: { host, port = 443 } }) => ({ host, port }));
    this.pairs = [...KNOWN.map(pairOf), ...pairs];
  }

  /** @param names under which the registry is known, with or without ports. */
  mayBeShown(registry: URL, names: readonly string[], realm: URL): boolean {
    const isOwn = realm.hostname === registry.hostname;
    if (realm.protocol !== 'https:' && !(registry.protocol === 'http:' && isOwn)) return false;
    if (isOwn) return true;
    const known = names.flatMap((name) => placeIn(name) ?? []);
    return this.pairs.some(
      (pair) =>
        isAt(pair.server, hostOf(realm), portOf(realm)) &&
        known.some(({ host, port = portOf(registry) }) => isAt(pair.registry, host, port)),
    );
  }
}

function pairOf(text: string): Pair {
  const [, name = '', host = ''] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  const [registry, server] = [placeIn(name), placeIn(host)];
  if (registry === undefined || server === undefined) {
    throw new Error(`--token-server must be REGISTRY=HOST[:PORT], such as ghcr.io=auth.example.com, not "${text}"`);
  }
  return { registry, server };
}

/** What `HOST[:PORT]` names, IPv6 in brackets; undefined when it is no such thing. */
function placeIn(text: string): HostPort | undefined {
  const [, host = '', port] = /^(\[[^\]]+\]|[^[\]:\s]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return undefined;
  try {
    return { host: canonicalHost(host), port: port === undefined ? undefined : Number(port) };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function isAt(place: HostPort, host: string, port: number): boolean {
  return place.host === host && (place.port === undefined || place.port === port);
}
