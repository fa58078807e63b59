import { isIPv6 } from 'node:net';

import { readAddress } from '@cdk8s-dragonfly/command';

/** The host and port that a CONNECT asks for (RFC 9110, 9.3.6), as a URL without a path; undefined when it is no such thing. */
export function connectTarget(target: string): URL | undefined {
  const address = readAddress(target);
  if (address?.port === undefined) return undefined;
  const host = isIPv6(address.host) ? `[${address.host}]` : address.host;
  const text = `https://${host}:${address.port}/`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** The URL of a request in absolute form (RFC 9112, 3.2.2); undefined when it is in another form, or no plain http URL. */
export function absoluteTarget(target: string): URL | undefined {
  if (!/^https?:\/\/[^/?#@\\]+(?:[/?]|$)/i.test(target) || !URL.canParse(target)) return undefined;
  return new URL(target);
}

/** Path and query as the client wrote them: they are passed on untouched. */
export function originForm(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}
