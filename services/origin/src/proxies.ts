import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

import { canonicalHost, hostOf, portOf } from './host-port';

/** Whether a host is to be asked without a proxy. */
type Exception = (host: string, port: number) => boolean;

const SHAPE =
  'give http://HOST:PORT or https://HOST:PORT, with USER:PASSWORD@ before the host where the proxy wants it';

/**
 * Through which proxy an origin is asked: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment, in capitals or small letters, as
 * Go's net/http reads them, which is what other parts of a cluster do. Loopback is always asked directly. Pure.
 */
export class Proxies {
  private readonly secure: URL | undefined;
  private readonly plain: URL | undefined;
  private readonly exceptions: readonly Exception[];

  /** @throws Error, one sentence, when a proxy is no http or https URL. */
  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.secure = proxyOf(env, 'HTTPS_PROXY');
    this.plain = proxyOf(env, 'HTTP_PROXY');
    const exceptions = (valueOf(env, 'NO_PROXY') ?? '').split(',').map((text) => text.trim().toLowerCase());
    this.exceptions = exceptions.filter((text) => text !== '').map(exceptionOf);
  }

  /** The proxy for an origin; undefined: it is asked itself. */
  for(origin: URL): URL | undefined {
    const proxy = origin.protocol === 'https:' ? this.secure : this.plain;
    if (proxy === undefined) return undefined;
    const host = hostOf(origin);
    if (host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')) return undefined;
    return this.exceptions.some((matches) => matches(host, portOf(origin))) ? undefined : proxy;
  }
}

/** What a proxy is sent to let us in; undefined when its URL has no user. */
export function proxyAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(text, 'utf8').toString('base64')}`;
}

function valueOf(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = env[name] ?? env[name.toLowerCase()];
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

function proxyOf(env: Readonly<Record<string, string | undefined>>, name: string): URL | undefined {
  const value = valueOf(env, name);
  if (value === undefined) return undefined;
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  // The value may hold a password and is not quoted.
  if (!URL.canParse(text)) throw new Error(`the environment variable ${name} is not the URL of a proxy; ${SHAPE}`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Error(`the environment variable ${name} names a proxy of the kind ${url.protocol}//; ${SHAPE}`);
  }
  if (!isDecodable(url.username) || !isDecodable(url.password)) {
    throw new Error(`the environment variable ${name} has a % in USER or PASSWORD that is no escape; write % as %25`);
  }
  return url;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false; // said by the caller, with the name of the variable
  }
}

/** One entry of `NO_PROXY`: `*`, an address, a range of addresses, a name with its subdomains, or (with a dot before) these alone. */
function exceptionOf(text: string): Exception {
  if (text === '*') return () => true;
  const range = rangeOf(text);
  if (range !== undefined) return (host) => isIP(host) !== 0 && isWithin(ipaddr.process(host), range);
  const [, name = text, digits] = /^(.*[^:\]]|\[.*\]):([0-9]{1,5})$/.exec(isIP(text) === 0 ? text : '') ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const onPort = (other: number): boolean => port === undefined || port === other;
  const domain = name.replace(/^\*(?=\.)/, '');
  if (domain.startsWith('.')) return (host, other) => onPort(other) && host.endsWith(domain);
  const wanted = hostIn(name);
  return (host, other) => onPort(other) && (host === wanted || (isIP(wanted) === 0 && host.endsWith(`.${wanted}`)));
}

function hostIn(name: string): string {
  try {
    return canonicalHost(name.replace(/^\[(.*)\]$/, '$1'));
  } catch (error) {
    if (error instanceof TypeError) return name; // matches nothing
    throw error;
  }
}

type Range = ReturnType<typeof ipaddr.parseCIDR>;

function rangeOf(text: string): Range | undefined {
  return text.includes('/') && ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, range: Range): boolean {
  return address.kind() === range[0].kind() && address.match(range);
}

/** What to do about a status, as the end of a sentence; empty for all but that of a proxy that wants credentials (RFC 9110, 15.5.8). */
export function adviceOnStatus(status: number): string {
  return status === 407
    ? ', as a proxy does that wants credentials: write them into its URL in HTTPS_PROXY or HTTP_PROXY, before the host'
    : '';
}
