import type { HeaderLine } from './header-lines';

/** What stands in a log instead of a secret. */
export const REDACTED = '<redacted>';

const SECRET_HEADER = /auth|cookie|token|secret|password|credential|signature|api-?key|session/i;
const URL_HEADER = new Set(['location', 'content-location', 'referer']);

/**
 * Header lines fit for a log: values of headers that carry credentials are replaced, whatever the case of their names. Of
 * `Authorization` and its like the scheme stays (`Bearer <redacted>`); URLs in `Location` and its like lose their secrets as
 * in {@link redactUrl}.
 */
export function redactHeaders(lines: readonly HeaderLine[]): HeaderLine[] {
  return lines.map(([name, value]) => [name, redactValue(name.toLowerCase(), value)]);
}

function redactValue(name: string, value: string): string {
  // A challenge asks for credentials and carries none; whoever debugs a 401 needs to read it.
  if (name === 'www-authenticate' || name === 'proxy-authenticate') return value;
  if (URL_HEADER.has(name)) return redactUrl(value);
  if (!SECRET_HEADER.test(name)) return value;
  const scheme = name.endsWith('authorization') ? /^([A-Za-z][\w-]*) +\S/.exec(value)?.[1] : undefined;
  return scheme === undefined ? REDACTED : `${scheme} ${REDACTED}`;
}

/**
 * A URL fit for a log: user and password are left out, and every value of the query is replaced, since signed URLs of storage
 * services carry their right of access there. Names stay. Takes absolute and relative URLs, and anything else as text. Total.
 */
export function redactUrl(url: string): string {
  const bare = url.replace(/#.*$/s, '').replace(/^([a-z][a-z0-9+.-]*:)?([/\\]{2})[^/\\?]*@/i, '$1$2');
  const mark = bare.indexOf('?');
  if (mark < 0) return bare;
  const query = bare
    .slice(mark + 1)
    .split('&')
    .map((part) => redactParameter(part))
    .join('&');
  return `${bare.slice(0, mark)}?${query}`;
}

function redactParameter(part: string): string {
  const equals = part.indexOf('=');
  if (part === '' || equals === part.length - 1) return part;
  return equals < 0 ? REDACTED : `${part.slice(0, equals)}=${REDACTED}`;
}
