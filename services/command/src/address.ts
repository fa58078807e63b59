import { isIP, isIPv4, isIPv6 } from 'node:net';

/** A host and, when it was given, a port. IPv6 literals stand without brackets. */
export interface Address {
  readonly host: string;
  readonly port?: number;
}

const BRACKETED = /^\[([^\]]*)\](?::(\d{1,5}))?$/;
const PLAIN = /^([^:[\]]*)(?::(\d{1,5}))?$/;
const NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/;

/**
 * The address in `HOST`, `HOST:PORT` or `[IPv6]:PORT`; undefined when `text` is none.
 * @param smallestPort 1, or 0 where the system may choose.
 */
export function readAddress(text: string, smallestPort = 1): Address | undefined {
  const bracketed = BRACKETED.exec(text);
  const match = bracketed ?? PLAIN.exec(text);
  const host = match?.[1];
  if (host === undefined) return undefined;
  if (!(bracketed ? isIPv6(host) : isHost(host))) return undefined;
  if (match?.[2] === undefined) return Object.freeze({ host });
  const port = Number(match[2]);
  return port >= smallestPort && port <= 65_535 ? Object.freeze({ host, port }) : undefined;
}

/** `HOST:PORT`, with brackets around an IPv6 literal (RFC 3986, 3.2.2). */
export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A DNS name, or an IPv4 literal when it is all digits and dots. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : text.length <= 253 && NAME.test(text);
}
