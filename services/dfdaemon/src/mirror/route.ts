import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import type { ErrorCode } from './error-body';
import { parseTarget } from './request-target';
import type { RequestTarget } from './request-target';

/** What every request has that goes on to a registry. */
interface Upward {
  readonly method: 'GET' | 'HEAD';
  /** Path and query for the registry: as sent, without `ns`. */
  readonly target: string;
  /** The registry that the client names, by `?ns=HOST` (containerd) or before the repository; undefined: none. */
  readonly ns: string | undefined;
  /** The registry stands in the path: the client does not know it for a registry of its own, and cannot log in to it. */
  readonly hostInPath: boolean;
}

/** A blob with a SHA-256 digest; of a GET it comes through the swarm. */
export interface BlobRoute extends Upward {
  readonly kind: 'blob';
  readonly name: string;
  readonly digest: Digest;
}

/** A manifest by tag or by digest. */
export interface ManifestRoute extends Upward {
  readonly kind: 'manifest';
  readonly name: string;
  readonly reference: string;
}

/** The tags of a repository, or what refers to a manifest. */
export interface ListRoute extends Upward {
  readonly kind: 'tags' | 'referrers';
  readonly name: string;
}

/** `/v2/`, and whatever else only the registry can answer. */
export interface PlainRoute extends Upward {
  readonly kind: 'ping' | 'other';
}

/** A path that Dragonfly 0.x keeps for the daemon itself; it never reaches a registry. */
export interface OwnRoute {
  readonly kind: 'own';
  readonly path: string;
}

/** Answered at once with an error. */
export interface RefusedRoute {
  readonly kind: 'refused';
  readonly status: 400 | 405;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Whatever is passed on to a registry when it does not come through the swarm. */
export type UpwardRoute = BlobRoute | ManifestRoute | ListRoute | PlainRoute;

/** What a request asks for. */
export type Route = UpwardRoute | OwnRoute | RefusedRoute;

/** The longest repository name: 255 characters, the limit of registries (OCI distribution specification, "Pulling manifests"). */
const LONGEST_NAME = 255;
/** One component of a repository name (OCI distribution specification, "Pulling manifests"). */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
/** What stands between a repository and one of its things. */
const COLLECTIONS: ReadonlySet<string> = new Set(['blobs', 'manifests', 'referrers', 'tags']);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** A digest of any algorithm (OCI image specification, "Digests"). */
const ANY_DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/**
 * What a request line asks for. Only a SHA-256 blob is kind `blob`; other algorithms and endpoints that the mirror does not know are
 * `other`: the registry answers them better. Anything but GET and HEAD is refused, and so are names, tags and digests outside the
 * grammar, and a path that could be read in two ways.
 *
 * @param method as sent
 * @param target the request target as sent
 * @param isRegistry whether a host, in lower case, is a registry behind the mirror
 */
export function route(method: string, target: string, isRegistry: (host: string) => boolean = () => false): Route {
  if (method !== 'GET' && method !== 'HEAD') {
    const message = `this mirror only reads: ${method} is not supported; push to the registry itself`;
    return { kind: 'refused', status: 405, code: 'UNSUPPORTED', message };
  }
  const parsed = parseTarget(target);
  if (typeof parsed === 'string') return { kind: 'refused', status: 400, code: 'NAME_INVALID', message: parsed };
  const { query } = parsed;
  if (isOwn(parsed.segments)) return { kind: 'own', path: `/${parsed.segments.join('/')}` };
  const { segments, rawPath, ns, hostInPath } = withoutHost(parsed, isRegistry);
  const upward: Upward = { method, target: query === '' ? rawPath : `${rawPath}?${query}`, ns, hostInPath };
  return segments[0] === 'v2' ? registryRoute(segments.slice(1), upward) : { ...upward, kind: 'other' };
}

interface Named extends Pick<RequestTarget, 'segments' | 'rawPath' | 'ns'> {
  readonly hostInPath: boolean;
}

/** `/v2/HOST/NAME/…` of a registry behind the mirror is `/v2/NAME/…` there: clients that send no `ns` are configured so. */
function withoutHost({ segments, rawPath, ns }: RequestTarget, isRegistry: (host: string) => boolean): Named {
  const [version, segment = '', ...rest] = segments;
  const host = segment.toLowerCase();
  const isHost = version === 'v2' && isRegistry(host) && (ns === undefined || ns === '' || ns.toLowerCase() === host);
  // `/v2/HOST/` itself, and a repository of that very name, which has one segment less.
  const names = isHost && (rest.length > 2 || rest.every((one) => one === ''));
  if (!names) return { segments, rawPath, ns, hostInPath: false };
  const raw = rawPath.split('/');
  const path = `/v2/${raw.slice(3).join('/')}`;
  return { segments: ['v2', ...rest], rawPath: path, ns: host, hostInPath: true };
}

function registryRoute(segments: readonly string[], upward: Upward): UpwardRoute | RefusedRoute {
  if (segments.length === 0 || (segments.length === 1 && segments[0] === '')) return { ...upward, kind: 'ping' };
  const name = segments.slice(0, -2).join('/');
  const [collection, item] = segments.slice(-2);
  if (collection === undefined || item === undefined || !COLLECTIONS.has(collection))
    return { ...upward, kind: 'other' };
  if (!isName(name)) return refused('NAME_INVALID', `${quoted(name)} is not the name of a repository`);
  if (collection === 'blobs' && item === 'uploads') return { ...upward, kind: 'other' };
  if (collection === 'tags') return item === 'list' ? { ...upward, kind: 'tags', name } : { ...upward, kind: 'other' };
  if (collection === 'manifests') {
    if (isReference(item)) return { ...upward, kind: 'manifest', name, reference: item };
    return refused('MANIFEST_INVALID', `${quoted(item)} is neither a tag nor a digest`);
  }
  if (!isAnyDigest(item)) {
    return refused('DIGEST_INVALID', `${quoted(item)} is not a digest`);
  }
  if (collection === 'referrers') return { ...upward, kind: 'referrers', name };
  return isDigest(item) ? { ...upward, kind: 'blob', name, digest: item } : { ...upward, kind: 'other' };
}

function refused(code: ErrorCode, message: string): RefusedRoute {
  return { kind: 'refused', status: 400, code, message };
}

/** At most so much of what is wrong is told. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** `/args`, `/env` and `/debug/…` (Dragonfly 0.x protocol, 7.5): they tell about the daemon, so a registry has no say in them. */
function isOwn([first, ...rest]: readonly string[]): boolean {
  return first === 'debug' || ((first === 'args' || first === 'env') && rest.length === 0);
}

/** Whether `name` is the name of a repository (OCI distribution specification, "Pulling manifests"). */
export function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && name.split('/').every((component) => COMPONENT.test(component));
}

/** Whether `reference` is a tag or a digest (OCI distribution specification, "Pulling manifests"). */
function isReference(reference: string): boolean {
  return TAG.test(reference) || isAnyDigest(reference);
}

function isAnyDigest(text: string): boolean {
  return ANY_DIGEST.test(text) && (isDigest(text) || !text.startsWith('sha256:'));
}
