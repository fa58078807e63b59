import type { BlobProvider, OpenBlob, Traffic } from '@cdk8s-dragonfly/engine';
import { parseRange } from '@cdk8s-dragonfly/protocol';
import type { HeaderLine } from '@cdk8s-dragonfly/protocol';
import type { Exchange } from './exchange';
import type { BlobRoute } from './route';

/** The swarm gave no byte, and the client was sent none: somebody else may answer. */
export class NothingSent extends Error {
  override readonly name = 'NothingSent';

  constructor(override readonly cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}

/** A blob to send. */
export interface BlobOrder {
  readonly route: BlobRoute;
  readonly upstream: URL;
  /** What an origin is sent for it. */
  readonly headers: readonly HeaderLine[];
  /** Called with the first byte: where bytes come from, counted on as they come; and when it came, in milliseconds of the exchange. */
  readonly told: (traffic: Traffic, firstByteMs: number) => void;
}

/**
 * Answers a GET of a blob from the swarm. The head is written when the first bytes are there, so that a failure before them can
 * still become another answer.
 *
 * @throws NothingSent when the provider failed before the first byte; whatever ended the body early after it, the connection is
 * closed then.
 */
export async function sendBlob(exchange: Exchange, order: BlobOrder, provider: BlobProvider): Promise<void> {
  const { signal, patience } = exchange;
  const { route, upstream, headers } = order;
  const url = new URL(route.target, upstream);
  const opening = provider.open({ blob: route.digest, url, headers }, signal);
  const blob = await exchange.wait(opening, patience.source, 'the blob did not open').catch((error: unknown) => {
    // Whoever opens it although nobody waits any more is let go as well.
    if (signal.aborted) {
      opening.then(
        (late) => late.release(),
        () => undefined,
      );
    }
    throw signal.aborted ? error : new NothingSent(error);
  });
  try {
    await answer(exchange, order, blob);
  } finally {
    blob.release();
  }
}

async function answer(exchange: Exchange, { route, told }: BlobOrder, blob: OpenBlob): Promise<void> {
  const { size } = blob;
  const etag = `"${route.digest}"`;
  const outcome = parseRange(rangeOf(exchange, etag), size);
  const lines: HeaderLine[] = [
    ['Content-Type', 'application/octet-stream'],
    ['Docker-Content-Digest', route.digest],
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
  ];
  if (outcome.kind === 'unsatisfiable') {
    exchange.reply(416, [...lines, ['Content-Range', outcome.contentRange]], '');
    return;
  }
  const range = outcome.kind === 'part' ? { from: outcome.from, end: outcome.end } : { from: 0 };
  const expected = outcome.kind === 'part' ? outcome.end - outcome.from : size;
  if (outcome.kind === 'part') lines.push(['Content-Range', outcome.contentRange]);
  if (expected !== undefined) lines.push(['Content-Length', `${expected}`]);

  const source = blob.read(range, exchange.signal, 'lent')[Symbol.asyncIterator]();
  const reading = exchange.wait(source.next(), exchange.patience.source, 'no byte came');
  const first = await reading.catch((error: unknown) => {
    throw exchange.signal.aborted ? error : new NothingSent(error);
  });
  told(blob.traffic, Math.round(exchange.elapsed));
  exchange.head(outcome.kind === 'part' ? 206 : 200, lines);
  await exchange.send(startingWith(first, source), expected);
}

/** `source` with the step before its next one. */
function startingWith<T>(
  first: IteratorResult<T, unknown>,
  source: AsyncIterator<T, unknown>,
): AsyncIterator<T, unknown> {
  let pending: IteratorResult<T, unknown> | undefined = first;
  return {
    next: async () => {
      const step = pending ?? (await source.next());
      pending = undefined;
      return step;
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  };
}

/** The `Range` that counts: with `If-Range` only when that names this very content (RFC 9110, 13.1.5). */
function rangeOf({ request }: Exchange, etag: string): string | undefined {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === etag ? request.headers.range : undefined;
}
