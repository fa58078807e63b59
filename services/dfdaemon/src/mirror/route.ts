import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import type { ErrorCode } from './error-body';
import { parseTarget } from './request-target';

/** What every request has that goes on to a registry. */
interface Upward {
  readonly method: 'GET' | 'HEAD';
  /** Path and query for the registry: as sent, without `ns`. */
  readonly target: string;
  /** The registry that containerd wants (`?ns=HOST`). */
  readonly ns: string | undefined;
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

/** The tags of a repository. */
export interface TagsRoute extends Upward {
  readonly kind: 'tags';
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
export type UpwardRoute = BlobRoute | ManifestRoute | TagsRoute | PlainRoute;

/** What a request asks for. */
export type Route = UpwardRoute | OwnRoute | RefusedRoute;

/** The longest repository name: 255 characters, the limit of registries (OCI distribution specification, "Pulling manifests"). */
const LONGEST_NAME = 255;
/** One component of a repository name (OCI distribution specification, "Pulling manifests"). */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** A digest of any algorithm (OCI image specification, "Digests"). */
const ANY_DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/**
 * What a request line asks for. Only a SHA-256 blob is kind `blob`; other algorithms, names outside the grammar and endpoints
 * that the mirror does not know are `other`: the registry answers them better. Anything but GET and HEAD is refused, and so is
 * a path that could be read in two ways.
 *
 * @param method as sent
 * @param target the request target as sent
 */
export function route(method: string, target: string): Route {
  if (method !== 'GET' && method !== 'HEAD') {
    const message = `this mirror only reads: ${method} is not supported; push to the registry itself`;
    return { kind: 'refused', status: 405, code: 'UNSUPPORTED', message };
  }
  const parsed = parseTarget(target);
  if (typeof parsed === 'string') return { kind: 'refused', status: 400, code: 'NAME_INVALID', message: parsed };
  const { segments, rawPath, query, ns } = parsed;
  if (isOwn(segments)) return { kind: 'own', path: `/${segments.join('/')}` };
  const upward: Upward = { method, target: query === '' ? rawPath : `${rawPath}?${query}`, ns };
  return segments[0] === 'v2' ? registryRoute(segments.slice(1), upward) : { ...upward, kind: 'other' };
}

function registryRoute(segments: readonly string[], upward: Upward): UpwardRoute {
  if (segments.length === 0 || (segments.length === 1 && segments[0] === '')) return { ...upward, kind: 'ping' };
  const name = segments.slice(0, -2).join('/');
  const [collection, item] = segments.slice(-2);
  if (collection === undefined || item === undefined || !isName(name)) return { ...upward, kind: 'other' };
  if (collection === 'blobs' && isDigest(item)) return { ...upward, kind: 'blob', name, digest: item };
  if (collection === 'manifests' && isReference(item)) return { ...upward, kind: 'manifest', name, reference: item };
  if (collection === 'tags' && item === 'list') return { ...upward, kind: 'tags', name };
  return { ...upward, kind: 'other' };
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
export function isReference(reference: string): boolean {
  return TAG.test(reference) || ANY_DIGEST.test(reference);
}
