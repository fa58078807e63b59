/** A request target taken apart: an origin-form that means the same to every server that reads it. */
export interface RequestTarget {
  /** The path as it was sent, for the registry. */
  readonly rawPath: string;
  /** The segments behind the first slash, unescaped. The last one is empty when the path ends in a slash. */
  readonly segments: readonly string[];
  /** The query without `?` and without `ns`, otherwise as it was sent. Empty when there is none. */
  readonly query: string;
  /** The registry that containerd wants (`?ns=HOST`), unescaped. */
  readonly ns: string | undefined;
}

/** The longest request target that is looked at. Registries give out state tokens of some KiB in query strings. */
const LONGEST = 16 * 1024;

/** The characters of RFC 3986, 3.3 ("path"). No backslash: URL parsers take it for a slash. */
const PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
/** Visible ASCII but `#`: more than RFC 3986, 3.4 allows, since clients leave brackets and braces unescaped. */
const QUERY = /^[!"$-~]*$/;
const ESCAPES = /%(?![0-9A-Fa-f]{2})/;

/**
 * Takes a request target apart and refuses what two servers could read differently: dot segments, escaped slashes, empty
 * segments, broken escapes (RFC 3986, 6.2.2 says which spellings are equivalent; the mirror does not want to rely on it).
 *
 * @returns a sentence that says why when it is refused.
 */
export function parseTarget(target: string): RequestTarget | string {
  if (target.length > LONGEST) return `the request target is longer than ${LONGEST} characters`;
  if (!target.startsWith('/')) return 'this is a registry mirror, not a proxy: the request target must start with /';
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  if (!PATH.test(rawPath)) return 'the path has characters that must be escaped';
  const segments = segmentsOf(rawPath);
  if (typeof segments === 'string') return segments;
  const parts = queryOf(mark < 0 ? '' : target.slice(mark + 1));
  return typeof parts === 'string' ? parts : { rawPath, segments, ...parts };
}

function segmentsOf(rawPath: string): readonly string[] | string {
  const raw = rawPath.slice(1).split('/');
  const segments: string[] = [];
  for (const [index, text] of raw.entries()) {
    const segment = unescape(text);
    if (segment === undefined) return 'the path has a broken escape';
    if (segment === '' && index < raw.length - 1) return 'the path has an empty segment';
    if (segment === '.' || segment === '..') return 'the path has a dot segment';
    if (/[/\\]/.test(segment)) return 'the path has an escaped slash';
    if (hasControl(segment)) return 'the path has an escaped control character';
    segments.push(segment);
  }
  return segments;
}

function queryOf(raw: string): { readonly query: string; readonly ns: string | undefined } | string {
  if (!QUERY.test(raw)) return 'the query has characters that must be escaped';
  if (ESCAPES.test(raw)) return 'the query has a broken escape';
  const kept: string[] = [];
  let ns: string | undefined;
  for (const part of raw.split('&')) {
    const equals = part.indexOf('=');
    if (unescape(equals < 0 ? part : part.slice(0, equals)) !== 'ns') {
      kept.push(part);
      continue;
    }
    const value = unescape(equals < 0 ? '' : part.slice(equals + 1));
    if (value === undefined || hasControl(value)) return 'ns is not the name of a registry';
    if (ns !== undefined && ns !== value) return 'ns is given twice';
    ns = value;
  }
  return { query: kept.join('&'), ns };
}

/** Percent-decoding; undefined when the escapes are broken or are not UTF-8. */
function unescape(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
