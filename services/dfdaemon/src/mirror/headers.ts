import { endToEndHeaders, headerLinesOf, headerValues, withoutHeaders } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';

/** Belong to the request as the client framed it: the mirror sends no body upwards, and Host is that of the registry. */
const FRAMING = ['host', 'content-length', 'expect'];

/** Would make the origin send something else than the whole blob as it is. */
const PARTIAL = [
  'range',
  'accept-encoding',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
];

/** What a registry is sent when a request is passed on: the client's own lines. */
export function relayHeaders(rawHeaders: readonly string[]): readonly HeaderLine[] {
  return withoutHeaders(endToEndHeaders(headerLinesOf(rawHeaders)), FRAMING);
}

/**
 * What an origin is sent for a blob of the swarm: the client's lines, but for those that ask for a part of it, for an encoded
 * form, or for an answer only under a condition.
 */
export function blobHeaders(rawHeaders: readonly string[]): readonly HeaderLine[] {
  return withoutHeaders(relayHeaders(rawHeaders), PARTIAL);
}

/** The length that a head promises; undefined when it promises none, or none that can be counted. */
export function contentLength(lines: readonly HeaderLine[]): number | undefined {
  const [value, ...more] = headerValues(lines, 'content-length');
  return value !== undefined && more.length === 0 && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}
