import type { Relay } from '@cdk8s-dragonfly/origin';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import { errorBody } from './error-body';
import type { Exchange } from './exchange';
import { contentLength, relayHeaders } from './headers';
import type { UpwardRoute } from './route';

/** The way to a registry without the swarm: one request, one answer, nothing followed, nothing changed. */
export type Registry = Pick<Relay, 'send'>;

/** Where a request is passed on to. */
export interface RelayTerms {
  readonly registry: Registry;
  readonly upstream: URL;
  /** Sees the body of a successful answer as it passes. */
  readonly watch?: (body: AsyncIterable<Buffer>, headers: readonly HeaderLine[]) => AsyncIterable<Buffer>;
}

/**
 * Passes a request on to the registry and its answer back: status, headers and body as they are, redirects included. When there
 * is no answer the client gets 502 before the first byte, so that it asks elsewhere at once; never 429, which runtimes wait out.
 *
 * @throws whatever kept the answer from coming, or ended its body early; the connection is closed in the second case.
 */
export async function relay(exchange: Exchange, route: UpwardRoute, terms: RelayTerms): Promise<void> {
  const { method, target } = route;
  const headers = relayHeaders(exchange.request.rawHeaders);
  const asked = terms.registry.send({ registry: terms.upstream, method, path: target, headers }, exchange.signal);
  const patience = exchange.patience.source;
  const answer = await exchange.wait(asked, patience, 'the registry did not answer').catch((error: unknown) => {
    if (!exchange.signal.aborted) badGateway(exchange, error);
    throw error;
  });
  const bodiless = method === 'HEAD' || answer.status === 204 || answer.status === 304;
  exchange.head(answer.status, answer.headers);
  const watched = answer.status === 200 && !bodiless ? terms.watch : undefined;
  const body = watched === undefined ? answer.body : watched(answer.body, answer.headers);
  await exchange.send(body[Symbol.asyncIterator](), bodiless ? 0 : contentLength(answer.headers));
}

/** 502 with the cause as an error body of the OCI distribution specification. */
function badGateway(exchange: Exchange, error: unknown): void {
  const cause = error instanceof Error ? error.message : String(error);
  exchange.reply(502, [['Content-Type', 'application/json']], errorBody('UNAVAILABLE', cause));
}
