import type { Relay, RelayAnswer } from '@cdk8s-dragonfly/origin';
import { headerValues } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import { errorBody } from './error-body';
import type { Exchange } from './exchange';
import { contentLength, relayHeaders } from './headers';
import type { UpwardRoute } from './route';

/** The way to a registry without the swarm: one request, one answer, nothing followed, nothing changed. */
export type Registry = Pick<Relay, 'send'>;

/** Answers of a registry that cannot do its work at the moment. */
export const OUT_OF_ORDER: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

/** Where a request is passed on to. */
export interface RelayTerms {
  readonly registry: Registry;
  readonly upstream: URL;
}

/**
 * Passes a request on to the registry and its answer back: status, headers and body as they are, redirects included. When there
 * is no answer the client gets 502 before the first byte, so that it asks elsewhere at once; and so it does instead of a 429, which
 * runtimes wait out at the mirror, up to 40 s, before they ask the registry themselves.
 *
 * @throws whatever kept the answer from coming, or ended its body early; the connection is closed in the second case.
 */
export async function relay(exchange: Exchange, route: UpwardRoute, terms: RelayTerms): Promise<void> {
  const answer = await ask(exchange, route, terms).catch((error: unknown) => {
    if (!exchange.signal.aborted) badGateway(exchange, error);
    throw error;
  });
  await passOn(exchange, route, terms, answer);
}

/** Sends the client's request to the registry. */
export async function ask(exchange: Exchange, route: UpwardRoute, terms: RelayTerms): Promise<RelayAnswer> {
  const { method, target } = route;
  const headers = relayHeaders(exchange.request.rawHeaders);
  const asked = terms.registry.send({ registry: terms.upstream, method, path: target, headers }, exchange.signal);
  return exchange.wait(asked, exchange.patience.source, 'the registry did not answer');
}

/** Passes the registry's answer on, but for a 429. */
export async function passOn(
  exchange: Exchange,
  { method }: UpwardRoute,
  { upstream }: RelayTerms,
  answer: RelayAnswer,
): Promise<void> {
  if (answer.status === 429) {
    answer.discard();
    throw tooMany(exchange, upstream, answer.headers);
  }
  const bodiless = method === 'HEAD' || answer.status === 204 || answer.status === 304;
  exchange.head(answer.status, answer.headers);
  await exchange.send(answer.body[Symbol.asyncIterator](), bodiless ? 0 : contentLength(answer.headers));
}

function tooMany(exchange: Exchange, upstream: URL, headers: readonly HeaderLine[]): Error {
  const error = new Error(`Registry ${upstream.host} answered with status 429, too many requests.`);
  badGateway(
    exchange,
    error,
    headerValues(headers, 'retry-after').map((value) => ['Retry-After', value]),
  );
  return error;
}

/** 502 with the cause as an error body of the OCI distribution specification. */
export function badGateway(exchange: Exchange, error: unknown, headers: readonly HeaderLine[] = []): void {
  const cause = error instanceof Error ? error.message : String(error);
  exchange.reply(502, [...headers, ['Content-Type', 'application/json']], errorBody('UNAVAILABLE', cause));
}
