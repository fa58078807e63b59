/** What `Retry-After` asks for in milliseconds from `now` (RFC 9110, 10.2.3): seconds, or a date. Undefined when it is neither. */
export function retryAfterMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (/^\d{1,9}$/.test(text)) {
    return Number(text) * 1000;
  }
  const date = /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
