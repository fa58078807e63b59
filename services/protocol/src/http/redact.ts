/** What stands in a log instead of a secret. */
const REDACTED = '<redacted>';

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
