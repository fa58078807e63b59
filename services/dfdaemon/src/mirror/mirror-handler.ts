import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import type { BlobProvider, Traffic, UnavailableReason } from '@cdk8s-dragonfly/engine';
import type { BlobAccess } from '../access/blob-access';
import type { Claim } from '../access/blob-rights';
import type { OwnAccess } from '../access/own-access';
import type { ManifestAnswers, ManifestOutcome } from '../manifests/manifest-answer';
import type { About } from '../ops/about';
import { NothingSent, sendBlob } from './blob-response';
import { errorBody } from './error-body';
import type { ErrorCode } from './error-body';
import { BrokenOff, Exchange } from './exchange';
import type { Patience } from './exchange';
import { blobHeaders } from './headers';
import type { Pings } from './ping';
import { relay } from './relay';
import type { Registry } from './relay';
import type { ResponseRecord } from './response-record';
import { route as routeOf } from './route';
import type { BlobRoute, OwnRoute, Route, UpwardRoute } from './route';
import type { UnhadBlobs } from './unhad-blobs';
import { pickUpstream } from './upstreams';
import type { Upstreams } from './upstreams';

/** What the mirror stands in front of. */
export interface MirrorParts {
  readonly upstreams: Upstreams;
  readonly provider: BlobProvider;
  readonly registry: Registry;
  /** The daemon's own way into registries. */
  readonly own: OwnAccess;
  /** Who may have which blob. */
  readonly access: BlobAccess;
  readonly manifests: ManifestAnswers;
  readonly pings: Pings;
  readonly unhad: UnhadBlobs;
  /** What the daemon tells of itself, at the paths that Dragonfly 0.x keeps for that; undefined: there is no such thing there. */
  readonly about: (path: string) => Promise<About | undefined>;
  /** Told once a request, when its answer has ended. */
  readonly record: (record: ResponseRecord) => void;
}

/** The part of a record that is found out on the way. */
interface Findings {
  from: ResponseRecord['from'];
  registry?: string;
  manifest?: ManifestOutcome;
  traffic?: Traffic;
  firstByteMs?: number;
  passedOnBecause?: string;
  reason?: UnavailableReason;
  error?: string;
}

/** The longest user agent that is recorded, in characters. */
const LONGEST_USER_AGENT = 200;

/**
 * Answers one request, whatever happens. A GET of a SHA-256 blob comes from the provider; when that has not a byte to give, and for
 * everything else, the registry's own answer is passed on.
 */
export async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  parts: MirrorParts,
  patience: Patience,
): Promise<void> {
  const exchange = new Exchange(request, response, patience);
  const isRegistry = (host: string): boolean => parts.upstreams.byHost.has(host);
  const route = routeOf(request.method ?? '', request.url ?? '', isRegistry);
  const findings: Findings = { from: 'mirror' };
  try {
    await exchange.turn();
    await answer(exchange, route, parts, findings);
    await exchange.finished();
    if (isGet(route) && (response.statusCode === 200 || response.statusCode === 206)) parts.unhad.had(route.digest);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    findings.error = cause.message;
    if (isGet(route) && !isByClient(cause)) parts.unhad.note(route.digest, cause.message);
    // Complete answers, such as a 502 that tells the cause, stay; whatever is open is cut.
    if (!response.writableEnded) exchange.cut(cause);
  }
  parts.record(recordOf(exchange, route, findings));
}

function isGet(route: Route): route is BlobRoute {
  return route.kind === 'blob' && route.method === 'GET';
}

function isByClient(error: Error): boolean {
  return error instanceof BrokenOff && error.byClient;
}

async function answer(exchange: Exchange, route: Route, parts: MirrorParts, findings: Findings): Promise<void> {
  if (route.kind === 'refused') {
    const headers = route.status === 405 ? ([['Allow', 'GET, HEAD']] as const) : [];
    refuse(exchange, route.status, route.code, route.message, headers);
    return;
  }
  if (route.kind === 'own') {
    await tellAbout(exchange, route, parts.about);
    return;
  }
  const upstream = pickUpstream(parts.upstreams, route.ns);
  if (upstream === undefined) {
    refuse(exchange, 404, 'NAME_UNKNOWN', `this mirror does not serve the registry ${JSON.stringify(route.ns)}`);
    return;
  }
  findings.registry = route.ns === undefined || route.ns === '' ? upstream.host : route.ns;
  const way = wayTo(exchange, route, upstream, parts);
  if (isGet(route)) await fromSwarm(exchange, route, way, parts, findings);
  else if (route.kind === 'manifest') {
    findings.from = 'registry';
    findings.manifest = await parts.manifests.answer(exchange, { route, ...way, claim: claimOf(route.name, way) });
    if (findings.manifest.source !== 'registry') findings.from = 'mirror';
  } else if (route.kind === 'ping') {
    findings.from = 'registry';
    findings.from = await parts.pings.answer(exchange, route, way);
  } else {
    findings.from = 'registry';
    await relay(exchange, route, way);
  }
}

/** How a registry is reached for a client. */
interface Way {
  readonly upstream: URL;
  readonly registry: Registry;
  /** The client's `Authorization`, where it goes along; undefined: it sends none, or the daemon speaks for itself. */
  readonly authorization: string | undefined;
  /** Set when the daemon speaks for itself. */
  readonly own: OwnAccess | undefined;
}

/**
 * The client's own credentials go to the registry, if it sends any. A client that names the registry in the path has none for it: what it
 * sends is for the registry whose challenge it saw, the default one, and goes nowhere. Then, and for a client without any where the daemon
 * has its own, the daemon speaks for itself.
 */
function wayTo(exchange: Exchange, route: UpwardRoute, upstream: URL, { own, registry }: MirrorParts): Way {
  const { authorization } = exchange.request.headers;
  const asItself = route.hostInPath || (authorization === undefined && own.isFor(upstream));
  // Beside the pull API the daemon's credentials open nothing to whoever reaches the mirror.
  if (asItself && route.kind !== 'other') return { upstream, registry: own, authorization: undefined, own };
  return { upstream, registry, authorization, own: undefined };
}

async function fromSwarm(
  exchange: Exchange,
  route: BlobRoute,
  way: Way,
  parts: MirrorParts,
  findings: Findings,
): Promise<void> {
  const { name, digest, target } = route;
  const { upstream, registry, own } = way;
  const lines = blobHeaders(exchange.request.rawHeaders);
  const headers = own === undefined ? lines : own.linesFor(upstream, name, lines);
  const question = { claim: claimOf(name, way), digest, target, headers, registry };
  const asked = parts.access.allows(question, exchange.signal);
  if (!(await exchange.wait(asked, exchange.patience.source, 'the registry did not answer'))) {
    findings.passedOnBecause = 'the registry does not say that this client may have it';
    findings.from = 'registry';
    await relay(exchange, route, way);
    return;
  }
  findings.from = 'swarm';
  const told = (traffic: Traffic, firstByteMs: number): void => {
    findings.traffic = traffic;
    findings.firstByteMs = firstByteMs;
  };
  try {
    const fresh = own === undefined ? headers : own.linesFor(upstream, name, lines);
    await sendBlob(exchange, { route, upstream, headers: fresh, told }, parts.provider);
  } catch (error) {
    if (error instanceof BlobUnavailable) findings.reason = error.reason;
    if (!(error instanceof NothingSent)) throw error;
    if (error.cause instanceof BlobUnavailable) findings.reason = error.cause.reason;
    findings.passedOnBecause = error.message;
    findings.from = 'registry';
    await relay(exchange, route, way);
  }
}

function claimOf(name: string, { upstream, authorization }: Way): Claim {
  return { upstream, name, authorization };
}

/** What the daemon tells of itself, and of its environment, is for this machine alone. */
async function tellAbout(exchange: Exchange, { path }: OwnRoute, about: MirrorParts['about']): Promise<void> {
  const { remoteAddress = '' } = exchange.request.socket;
  const isLocal = remoteAddress === '::1' || /^(?:::ffff:)?127\./.test(remoteAddress);
  const told = isLocal ? await about(path) : undefined;
  if (told !== undefined)
    exchange.reply(
      200,
      [
        ['Content-Type', told.type],
        ['Cache-Control', 'no-store'],
      ],
      told.text,
    );
  else if (isLocal) refuse(exchange, 404, 'UNSUPPORTED', `this daemon does not serve ${path}`);
  else refuse(exchange, 403, 'DENIED', `${path} is served to this machine alone`);
}

function refuse(
  exchange: Exchange,
  status: number,
  code: ErrorCode,
  message: string,
  headers: readonly (readonly [string, string])[] = [],
): void {
  exchange.reply(status, [...headers, ['Content-Type', 'application/json']], errorBody(code, message));
}

function recordOf(exchange: Exchange, route: Route, findings: Findings): ResponseRecord {
  const { request, response } = exchange;
  return {
    kind: route.kind,
    method: request.method ?? '',
    registry: findings.registry,
    repository: 'name' in route ? route.name : undefined,
    reference: route.kind === 'manifest' ? route.reference : undefined,
    digest: route.kind === 'blob' ? route.digest : findings.manifest?.digest,
    names: findings.manifest?.names,
    manifest: findings.manifest?.source,
    from: findings.from,
    sources: findings.traffic,
    firstByteMs: findings.firstByteMs,
    reason: findings.reason,
    status: response.headersSent ? response.statusCode : 0,
    bytes: exchange.sent,
    ms: Math.round(exchange.elapsed),
    userAgent: (request.headers['user-agent'] ?? '').slice(0, LONGEST_USER_AGENT),
    passedOnBecause: findings.passedOnBecause,
    error: findings.error,
  };
}
