import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlobProvider } from '@cdk8s-dragonfly/engine';
import { headerValues } from '@cdk8s-dragonfly/protocol';
import type { BlobAccess } from '../access/blob-access';
import type { Claim } from '../access/blob-rights';
import { NothingSent, sendBlob } from './blob-response';
import { errorBody } from './error-body';
import type { ErrorCode } from './error-body';
import { Exchange } from './exchange';
import type { Patience } from './exchange';
import { blobHeaders } from './headers';
import { relay } from './relay';
import type { Registry } from './relay';
import type { ResponseRecord } from './response-record';
import { route as routeOf } from './route';
import type { Route, UpwardRoute } from './route';
import { pickUpstream } from './upstreams';
import type { Upstreams } from './upstreams';

/** What the mirror stands in front of. */
export interface MirrorParts {
  readonly upstreams: Upstreams;
  readonly provider: BlobProvider;
  readonly registry: Registry;
  /** Who may have which blob. */
  readonly access: BlobAccess;
  /** Told once a request, when its answer has ended. */
  readonly record: (record: ResponseRecord) => void;
}

/** The part of a record that is found out on the way. */
interface Findings {
  from: ResponseRecord['from'];
  passedOnBecause?: string;
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
  const route = routeOf(request.method ?? '', request.url ?? '');
  const findings: Findings = { from: 'mirror' };
  try {
    await answer(exchange, route, parts, findings);
    await exchange.finished();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    findings.error = cause.message;
    // Complete answers, such as a 502 that tells the cause, stay; whatever is open is cut.
    if (!response.writableEnded) exchange.cut(cause);
  }
  parts.record(recordOf(exchange, route, findings));
}

async function answer(exchange: Exchange, route: Route, parts: MirrorParts, findings: Findings): Promise<void> {
  if (route.kind === 'refused') {
    const headers = route.status === 405 ? ([['Allow', 'GET, HEAD']] as const) : [];
    refuse(exchange, route.status, route.code, route.message, headers);
    return;
  }
  if (route.kind === 'own') {
    refuse(exchange, 404, 'UNSUPPORTED', `this daemon does not serve ${route.path}`);
    return;
  }
  const upstream = pickUpstream(parts.upstreams, route.ns);
  if (upstream === undefined) {
    refuse(exchange, 404, 'NAME_UNKNOWN', `this mirror does not serve the registry ${JSON.stringify(route.ns)}`);
    return;
  }
  await (route.kind === 'blob' && route.method === 'GET'
    ? fromSwarm(exchange, route, upstream, parts, findings)
    : fromRegistry(exchange, route, upstream, parts, findings));
}

async function fromSwarm(
  exchange: Exchange,
  route: UpwardRoute & { readonly kind: 'blob' },
  upstream: URL,
  parts: MirrorParts,
  findings: Findings,
): Promise<void> {
  const { name, digest, target } = route;
  const claim = claimOf(exchange, upstream, name);
  const question = { claim, digest, target, headers: blobHeaders(exchange.request.rawHeaders) };
  const asked = parts.access.allows(question, exchange.signal);
  if (!(await exchange.wait(asked, exchange.patience.source, 'the registry did not answer'))) {
    findings.passedOnBecause = 'the registry does not say that this client may have it';
    await fromRegistry(exchange, route, upstream, parts, findings);
    return;
  }
  findings.from = 'swarm';
  try {
    await sendBlob(exchange, route, upstream, parts.provider);
  } catch (error) {
    if (!(error instanceof NothingSent)) throw error;
    findings.passedOnBecause = error.message;
    await fromRegistry(exchange, route, upstream, parts, findings);
  }
}

async function fromRegistry(
  exchange: Exchange,
  route: UpwardRoute,
  upstream: URL,
  parts: MirrorParts,
  findings: Findings,
): Promise<void> {
  findings.from = 'registry';
  const { registry, access } = parts;
  const terms = { registry, upstream };
  if (route.kind !== 'manifest') return relay(exchange, route, terms);
  const claim = claimOf(exchange, upstream, route.name);
  return relay(exchange, route, {
    ...terms,
    watch: (body, headers) => access.noting(claim, body, headerValues(headers, 'content-encoding')[0]),
  });
}

function claimOf(exchange: Exchange, upstream: URL, name: string): Claim {
  return { upstream, name, authorization: exchange.request.headers.authorization };
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
    digest: route.kind === 'blob' ? route.digest : undefined,
    from: findings.from,
    status: response.headersSent ? response.statusCode : 0,
    bytes: exchange.sent,
    ms: Math.round(exchange.elapsed),
    userAgent: (request.headers['user-agent'] ?? '').slice(0, LONGEST_USER_AGENT),
    passedOnBecause: findings.passedOnBecause,
    error: findings.error,
  };
}
