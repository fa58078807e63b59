/** A URL as it may stand in logs and messages: without user name, password, query and fragment. */
export function publicUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}
