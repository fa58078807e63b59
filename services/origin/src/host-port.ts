import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A host (name or address, IPv6 with or without brackets) and perhaps a port. */
export interface HostPort {
  readonly host: string;
  /** 1 to 65535. Default: every port of the host. */
  readonly port?: number | undefined;
}

/**
 * One spelling for a host: lower case, no final dot, no brackets; addresses in their usual form, whatever form they were
 * given in (`127.1`, `0x7f000001`, `::ffff:127.0.0.1`), as the WHATWG URL standard reads them ("host parsing").
 *
 * @throws TypeError when it is not a host.
 */
export function canonicalHost(host: string): string {
  const bracketed = isIPv6(host) ? `[${host}]` : host;
  const url = URL.canParse(`http://${bracketed}/`) ? new URL(`http://${bracketed}/`) : undefined;
  if (url === undefined || url.port !== '' || url.username !== '' || url.password !== '' || url.pathname !== '/') {
    throw new TypeError(`"${host}" is not a host: give a name or an IP address, without scheme, port or path.`);
  }
  return hostOf(url);
}

/** The host of a URL in the spelling of {@link canonicalHost}. */
export function hostOf(url: URL): string {
  const host = url.hostname.replace(/\.$/, '');
  return host.startsWith('[') ? ipaddr.process(host.slice(1, -1)).toString() : host;
}

/** The port of a URL: the one written, else that of the scheme. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/** `host:port` with the port always written, IPv6 in brackets: what `--allow-origin` takes. */
export function hostAndPort(url: URL): string {
  const host = hostOf(url);
  return `${isIPv6(host) ? `[${host}]` : host}:${portOf(url)}`;
}
