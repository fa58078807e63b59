import { isIP } from 'node:net';
import type { AddressClass } from './address-class';
import { classOf, innermost } from './address-class';
import type { HostPort } from './host-port';
import { canonicalHost, hostAndPort, hostOf, portOf } from './host-port';
import { OriginError } from './origin-error';

/** How a URL came to be asked: a client named it, or an origin's redirect led there. */
export type Way = 'first-hand' | 'redirect';

/** What {@link OriginRules} are built from. */
export interface OriginRulesOptions {
  /** The origins that may be asked. Default empty: no list, any origin that is not refused by its address. */
  readonly allow?: readonly HostPort[] | undefined;
  /** Whether other origins may be asked too, if their address is not refused. Default: only when the list is empty. */
  readonly others?: boolean | undefined;
  /** Own addresses and those of the cluster's API, see {@link clusterApi}: refused unless the list names them. Default none. */
  readonly forbid?: readonly HostPort[] | undefined;
  /** The flag that messages recommend. Default `--allow-origin`. */
  readonly flag?: string | undefined;
}

const NEVER: Readonly<Partial<Record<AddressClass, string>>> = {
  loopback: 'a loopback address',
  'link-local': 'a link-local address',
  unspecified: 'an unspecified address',
  multicast: 'a multicast address',
  metadata: "a cloud's metadata service",
};

const INWARD: Readonly<Partial<Record<AddressClass, string>>> = {
  ...NEVER,
  private: 'a private address',
  reserved: 'a reserved address',
};

/**
 * Which origins may be asked. Pure: it reads URLs and addresses and does no input or output.
 *
 * With a list, only its hosts may be asked first-hand; without one, any host except loopback, link-local, unspecified and multicast
 * addresses, the metadata services of clouds, and the forbidden ones. A redirect may lead to any public https host; to a private
 * or loopback address, or over plain http, only where the list names the host. A host on the list is allowed whatever it resolves to.
 */
export class OriginRules {
  readonly #allow: readonly HostPort[];
  readonly #forbid: readonly HostPort[];
  readonly #flag: string;
  readonly #others: boolean;

  /** @throws TypeError when an entry is not a host. */
  constructor(options: OriginRulesOptions = {}) {
    const canonical = (entry: HostPort): HostPort => ({ host: canonicalHost(entry.host), port: entry.port });
    this.#allow = (options.allow ?? []).map(canonical);
    this.#forbid = (options.forbid ?? []).map(canonical);
    this.#flag = options.flag ?? '--allow-origin';
    this.#others = options.others ?? this.#allow.length === 0;
  }

  /**
   * Checks what a URL says: scheme, credentials, host, port, and the address when the host is one.
   *
   * @throws OriginError `forbidden`.
   */
  checkUrl(url: URL, way: Way): void {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new OriginError(
        'forbidden',
        `The scheme "${url.protocol}" is refused: only http and https can be fetched.`,
      );
    }
    const origin = hostAndPort(url);
    if (url.username !== '' || url.password !== '') {
      throw new OriginError(
        'forbidden',
        `Origin ${origin} is refused: its URL holds a user name or password; send an Authorization header instead.`,
      );
    }
    if (this.#listed(url)) {
      return;
    }
    if (way === 'first-hand' && !this.#others) {
      throw this.#refusal(url, 'it is not on the list of allowed origins');
    }
    if (way === 'redirect' && url.protocol === 'http:') {
      throw this.#refusal(url, 'a redirect led there over plain http');
    }
    const host = hostOf(url);
    if (this.#forbids(host, portOf(url))) {
      throw this.#refusal(url, 'it is an address of this service or of the cluster');
    }
    if (isIP(host) !== 0) {
      this.checkAddress(url, host, way);
    }
  }

  /**
   * Checks an address that the host of `url` resolved to. To be called for each one, before a connection is made to it.
   *
   * @throws OriginError `forbidden`.
   */
  checkAddress(url: URL, address: string, way: Way): void {
    if (this.#listed(url)) {
      return;
    }
    if (this.#forbids(innermost(address), portOf(url))) {
      throw this.#refusal(url, `${address} is an address of this service or of the cluster`);
    }
    const kind = classOf(address);
    const reason = way === 'redirect' ? INWARD[kind] : NEVER[kind];
    if (reason !== undefined) {
      throw this.#refusal(url, `${way === 'redirect' ? 'a redirect led there and ' : ''}${address} is ${reason}`);
    }
  }

  /** An entry with the very port wins over everything; one for all ports yields to a forbidden port. */
  #listed(url: URL): boolean {
    const host = hostOf(url);
    const port = portOf(url);
    return this.#allow.some(
      (entry) =>
        entry.host === host &&
        (entry.port === port ||
          (entry.port === undefined && !this.#forbid.some((own) => own.host === host && own.port === port))),
    );
  }

  #forbids(host: string, port: number): boolean {
    return this.#forbid.some((own) => own.host === host && (own.port === undefined || own.port === port));
  }

  #refusal(url: URL, rule: string): OriginError {
    const origin = hostAndPort(url);
    return new OriginError('forbidden', `Origin ${origin} is refused: ${rule}; allow it with ${this.#flag} ${origin}.`);
  }
}

/** The Kubernetes API server as a pod's environment names it, for `forbid`; empty outside of a cluster. */
export function clusterApi(env: Readonly<Record<string, string | undefined>>): HostPort[] {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  return host === '' ? [] : [{ host }];
}
