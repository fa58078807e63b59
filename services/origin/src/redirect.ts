import type { Incoming } from './exchange';
import type { HeaderLine } from './header-lines';
import { valueOf } from './header-lines';
import { OriginError } from './origin-error';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What may follow a redirect to another origin: fields that hold no credentials, whatever a client puts into its own ones. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'cache-control', 'pragma', 'user-agent']);

/** Whether an answer sends its reader elsewhere (RFC 9110, 15.4). */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Where a redirect leads, relative to the URL that was asked.
 *
 * @throws OriginError `protocol` when it has no usable Location.
 */
export function redirectTarget(incoming: Incoming, asked: URL, origin: string): URL {
  const location = valueOf(incoming.headers, 'location');
  if (location === undefined || !URL.canParse(location, asked.href)) {
    const fault = location === undefined ? 'without a Location' : 'with a Location that is no URL';
    throw new OriginError('protocol', `Origin ${origin} answered with redirect ${incoming.status} ${fault}.`);
  }
  return new URL(location, asked.href);
}

/** The header lines that go along from one URL to the next: all within an origin, only harmless ones to another. */
export function linesAcross(lines: readonly HeaderLine[], from: URL, to: URL): readonly HeaderLine[] {
  return from.origin === to.origin ? lines : lines.filter(([name]) => HARMLESS.has(name.toLowerCase()));
}
