import type { AnswerHead, AskedRange } from './answer';
import { readHead, statusError } from './answer';
import { Connections } from './connections';
import type { Outward } from './connections';
import type { ReadMemory } from './body-tap';
import { bodyChunks, cutOff, discard } from './body';
import type { Incoming } from './exchange';
import { exchange } from './exchange';
import { guardedLookup } from './guarded-lookup';
import type { HeaderLine } from './header-lines';
import { endToEnd, isHopByHop, without } from './header-lines';
import { hostAndPort } from './host-port';
import { OriginError } from './origin-error';
import type { OriginLog } from './origin-log';
import type { OriginRules, Way } from './origin-rules';
import { publicUrl } from './public-url';
import { isRedirect, linesAcross, redirectTarget } from './redirect';
import type { Resolver } from './resolver';
import { systemResolver } from './resolver';
import { slice } from './slice';

/** What an {@link OriginClient} is made of. Times are in milliseconds. */
export interface OriginClientOptions {
  readonly rules: OriginRules;
  /** How long a connection may take to open. Default 5000. */
  readonly connectTimeout?: number | undefined;
  /** How long the head of each answer may take, the opening of a connection included. */
  readonly firstByteTimeout: number;
  /** How long an origin may send nothing in the middle of a body. */
  readonly stallTimeout: number;
  /** Certificates and proxies. Default: none of our own. */
  readonly outward?: Outward | undefined;
  /** Default {@link systemResolver}. */
  readonly resolve?: Resolver | undefined;
  readonly log?: OriginLog | undefined;
  /** For the bytes of long bodies; several chunks in a row may be of one buffer of it. Default: new memory for each. */
  readonly memory?: ReadMemory | undefined;
}

/** What to fetch. */
export interface OriginRequest {
  /** http or https, without user name and password. */
  readonly url: URL;
  /** The client's header lines; hop-by-hop fields, Host, and what this client decides itself are left out. */
  readonly headers: readonly HeaderLine[];
  /** The first byte. Default 0. */
  readonly from?: number | undefined;
  /** The byte after the last. Default the end of the resource. */
  readonly end?: number | undefined;
  /** A strong entity tag: the rest only if the resource is still that one, else the whole (RFC 9110, 13.1.5). */
  readonly ifRange?: string | undefined;
  /** The version that is here: the resource is wanted only if it is another, else the answer is a failure with status 304 (RFC 9110, 13.1). */
  readonly unless?: { readonly etag?: string | undefined; readonly lastModified?: string | undefined } | undefined;
}

/** A successful answer. */
export interface OriginAnswer {
  readonly status: 200 | 206;
  /** The length of the whole resource in bytes; undefined when the origin does not tell it. */
  readonly size: number | undefined;
  /** The resource's byte that `body` begins with: the one asked for. */
  readonly from: number;
  /** Whether the origin can go on from the middle. */
  readonly acceptsRanges: boolean;
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly contentType?: string | undefined;
  /** `host:port` that answered, after redirects. */
  readonly finalHost: string;
  /**
   * The bytes, to be iterated once; leaving the iteration early closes the connection.
   *
   * @throws OriginError `stalled`, `truncated` or `protocol`; the signal's reason when it aborts.
   */
  readonly body: AsyncIterable<Buffer>;
  /** Closes the connection of a body that will not be iterated. */
  discard(): void;
}

const MAX_REDIRECTS = 10;

/** Fields that are this client's to set, and conditions that would make a success something else than 200 or 206. */
const OURS: ReadonlySet<string> = new Set([
  'host',
  'range',
  'accept-encoding',
  'content-length',
  'content-type',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
]);

/** Whether an {@link OriginClient} sends a field of a request's headers on, and not its own or none; the name in any case. */
export function isPassedOn(name: string): boolean {
  return !OURS.has(name.toLowerCase()) && !isHopByHop(name);
}

/** Fetches resources from origins within the rules. It keeps connections; `stop()` closes them. */
export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #connections: Readonly<Record<Way, Connections>>;

  constructor(options: OriginClientOptions) {
    this.#options = options;
    const { rules, connectTimeout = 5000, outward, resolve = systemResolver } = options;
    const connections = (way: Way): Connections =>
      new Connections({ ...outward, connectTimeout, lookupFor: (url) => guardedLookup(url, way, rules, resolve) });
    // One each: a connection that was allowed first-hand must not be found again by a redirect.
    this.#connections = { 'first-hand': connections('first-hand'), redirect: connections('redirect') };
  }

  /**
   * Asks for a resource, follows redirects (at most 10, each checked by the rules; credentials stay with the origin they were meant
   * for), and resolves with the head of the answer.
   *
   * @throws OriginError; the reason of `signal` when it aborts.
   */
  async open(request: OriginRequest, signal: AbortSignal): Promise<OriginAnswer> {
    const from = request.from ?? 0;
    const { end } = request;
    if (!Number.isSafeInteger(from) || from < 0 || (end !== undefined && (!Number.isSafeInteger(end) || end <= from))) {
      throw new RangeError(
        `The bytes ${from} to ${end ?? 'the end'} are no range: give whole numbers, the end above the first.`,
      );
    }
    try {
      return await this.#ask(request, { from, end, ranged: from > 0 || end !== undefined }, signal);
    } catch (error) {
      // Of all resources, only an empty one has no range that begins with its first byte: that is asked for as a whole.
      const isEmpty = error instanceof OriginError && error.status === 416 && from === 0 && end !== undefined;
      if (!isEmpty) throw error;
      return this.#ask(request, { from, end, ranged: false }, signal);
    }
  }

  /** Closes all connections; bodies in the middle fail. */
  async stop(): Promise<void> {
    await Promise.all([this.#connections['first-hand'].stop(), this.#connections.redirect.stop()]);
  }

  async #ask(request: OriginRequest, asked: AskedRange, signal: AbortSignal): Promise<OriginAnswer> {
    const { from, end, ranged } = asked;
    const conditions = [...(ranged ? rangeLines(from, end, request.ifRange) : []), ...conditionLines(request.unless)];
    const { incoming, url } = await this.#follow(request, conditions, signal);
    const origin = hostAndPort(url);
    let head: AnswerHead;
    try {
      if (incoming.status !== 200 && incoming.status !== 206) {
        throw statusError(incoming, origin, Date.now());
      }
      head = readHead(incoming, asked, origin);
    } catch (error) {
      await discard(incoming.body);
      throw error;
    }
    const { stallTimeout, memory } = this.#options;
    const chunks = bodyChunks(incoming.body, {
      origin,
      length: head.length,
      stallTimeout,
      signal: incoming.signal,
      memory,
    });
    return {
      status: head.status,
      size: head.size,
      from,
      acceptsRanges: head.acceptsRanges,
      etag: head.etag,
      lastModified: head.lastModified,
      contentType: head.contentType,
      finalHost: origin,
      // A 206 is the part asked for, and its end is left to come, so that the connection can be used again.
      body:
        head.status === 206
          ? chunks
          : slice(chunks, { skip: from, take: end === undefined ? undefined : end - from, origin }),
      discard: () => {
        cutOff(incoming.body);
      },
    };
  }

  async #follow(
    request: OriginRequest,
    conditions: readonly HeaderLine[],
    signal: AbortSignal,
  ): Promise<{ readonly incoming: Incoming; readonly url: URL }> {
    const { rules, firstByteTimeout, log } = this.#options;
    let { url } = request;
    let lines: readonly HeaderLine[] = without(endToEnd(request.headers), OURS);
    for (let hops = 0; ; hops += 1) {
      // An origin that may be asked first-hand may also send its reader to another path of its own.
      const way: Way = url.origin === request.url.origin ? 'first-hand' : 'redirect';
      rules.checkUrl(url, way);
      const origin = hostAndPort(url);
      const headers: HeaderLine[] = [...lines, ['Accept-Encoding', 'identity'], ...conditions];
      const path = `${url.pathname}${url.search}`;
      const outgoing = { method: 'GET', origin: url, path, headers, firstByteTimeout } as const;
      const incoming = await exchange(this.#connections[way], outgoing, signal);
      log?.debug('origin answered', { url: publicUrl(url), status: incoming.status });
      if (!isRedirect(incoming.status)) {
        return { incoming, url };
      }
      await discard(incoming.body);
      signal.throwIfAborted();
      const next = redirectTarget(incoming, url, origin);
      if (hops === MAX_REDIRECTS) {
        const first = hostAndPort(request.url);
        throw new OriginError(
          'protocol',
          `Origin ${first} redirected more than ${MAX_REDIRECTS} times, last to ${next.host}.`,
        );
      }
      lines = linesAcross(lines, url, next);
      url = next;
    }
  }
}

function rangeLines(from: number, end: number | undefined, ifRange: string | undefined): HeaderLine[] {
  const range: HeaderLine = ['Range', `bytes=${from}-${end === undefined ? '' : end - 1}`];
  return ifRange === undefined ? [range] : [range, ['If-Range', ifRange]];
}

/** A server that knows the entity tag passes over the date. */
function conditionLines({ etag, lastModified }: NonNullable<OriginRequest['unless']> = {}): HeaderLine[] {
  return [
    ...(etag === undefined ? [] : [['If-None-Match', etag] as const]),
    ...(lastModified === undefined ? [] : [['If-Modified-Since', lastModified] as const]),
  ];
}
