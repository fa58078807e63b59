import type { HostPort } from './host-port';

/** Token servers at hosts other than their registry's that are known to belong to it. */
const KNOWN = ['docker.io=auth.docker.io', 'registry-1.docker.io=auth.docker.io', 'registry.gitlab.com=gitlab.com'];

/**
 * Which token servers may be shown a registry's credentials: one at its own host, and those that are known or configured to belong to it, over
 * https; never whatever host a challenge names, or a registry that is taken over sends its users' passwords to whom it likes.
 */
export class TokenHosts {
  private readonly pairs: ReadonlySet<string>;
  /** The hosts that are configured: they may be asked although they may be inside. */
  readonly configured: readonly HostPort[];

  /**
   * @param configured `REGISTRY=HOST[:PORT]` each.
   * @throws Error for one that is no such pair.
   */
  constructor(configured: readonly string[] = []) {
    this.configured = configured.map((text) => {
      const [, host] = /^[^=\s]+=([^=\s/]+)$/.exec(text) ?? [];
      if (host === undefined || !URL.canParse(`https://${host}`)) {
        throw new Error(`--token-server must be REGISTRY=HOST[:PORT], such as ghcr.io=auth.example.com, not "${text}"`);
      }
      const { hostname, port } = new URL(`https://${host}`);
      return { host: hostname, port: port === '' ? 443 : Number(port) };
    });
    this.pairs = new Set([...KNOWN, ...configured].map((text) => text.toLowerCase()));
  }

  /** @param names under which the registry is known, with or without ports. */
  mayBeShown(registry: URL, names: readonly string[], realm: URL): boolean {
    const isOwn = realm.hostname === registry.hostname;
    if (realm.protocol !== 'https:' && !(registry.protocol === 'http:' && isOwn)) return false;
    if (isOwn) return true;
    return names.some((name) =>
      [name, name.replace(/:[0-9]+$/, '')].some(
        (one) => this.pairs.has(`${one}=${realm.hostname}`) || this.pairs.has(`${one}=${realm.host}`),
      ),
    );
  }
}
