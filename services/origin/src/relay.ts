import { bodyChunks, cutOff } from './body';
import { Connections } from './connections';
import type { Outward } from './connections';
import { byteCount } from './content-range';
import { exchange } from './exchange';
import { guardedLookup } from './guarded-lookup';
import type { HeaderLine } from './header-lines';
import { endToEnd, valueOf, without } from './header-lines';
import { hostAndPort } from './host-port';
import { OriginError } from './origin-error';
import type { OriginRules } from './origin-rules';
import { systemResolver } from './resolver';

/** What a {@link Relay} is made of. Times are in milliseconds. */
export interface RelayOptions {
  /** How long a connection may take to open. Default 5000. */
  readonly connectTimeout?: number | undefined;
  /** How long the head of an answer may take, the opening of a connection included. */
  readonly firstByteTimeout: number;
  /** How long a registry may send nothing in the middle of a body. */
  readonly stallTimeout: number;
  /** Certificates and proxies. Default: none of our own. */
  readonly outward?: Outward | undefined;
  /** Where it may go. Default: wherever it is told, since registries come from the configuration. */
  readonly rules?: OriginRules | undefined;
}

/** A client's request as it came. */
export interface RelayRequest {
  /** The registry behind the mirror; its path, if it has one, goes before the client's. */
  readonly registry: URL;
  readonly method: 'GET' | 'HEAD';
  /** Path and query as the client wrote them, beginning with `/`. */
  readonly path: string;
  /** The client's header lines; hop-by-hop fields and Host are replaced by our own. */
  readonly headers: readonly HeaderLine[];
}

/** A registry's answer as it came, without its hop-by-hop fields. */
export interface RelayAnswer {
  readonly status: number;
  readonly statusText: string;
  /** In the registry's order and spelling. */
  readonly headers: readonly HeaderLine[];
  /**
   * The body as it was sent, not decoded, to be iterated once; leaving the iteration early closes the connection. Empty for HEAD, 204 and 304.
   *
   * @throws OriginError `stalled` or `truncated`; the signal's reason when it aborts.
   */
  readonly body: AsyncIterable<Buffer>;
  /** Closes the connection of a body that will not be iterated; where there is none, the connection is kept. */
  discard(): void;
}

const REPLACED: ReadonlySet<string> = new Set(['host', 'content-length']);

/** Statuses whose answers never have a body (RFC 9110, 15). */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

async function* nothing(): AsyncGenerator<Buffer, void, undefined> {
  // A body without a chunk.
}

/**
 * Passes requests to registries unchanged and their answers back: redirects, challenges and encodings are the client's affair. It keeps
 * connections; `stop()` closes them. The rules for origins do not apply: registries come from the configuration.
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #connections: Connections;

  constructor(options: RelayOptions) {
    this.#options = options;
    const { outward, rules, connectTimeout = 5000 } = options;
    const lookupFor =
      rules === undefined ? undefined : (url: URL) => guardedLookup(url, 'first-hand', rules, systemResolver);
    this.#connections = new Connections({ ...outward, connectTimeout, lookupFor });
  }

  /**
   * Resolves with the head of the registry's answer, whatever its status.
   *
   * @throws OriginError `unreachable`, `timeout` or `protocol`, naming the registry; `forbidden` when the target is not a path or the rules do not allow the registry; the reason of `signal` when it aborts.
   */
  async send(request: RelayRequest, signal: AbortSignal): Promise<RelayAnswer> {
    const { registry, method } = request;
    const { firstByteTimeout, stallTimeout } = this.#options;
    if (!request.path.startsWith('/')) {
      throw new OriginError('forbidden', 'A request whose target is not a path beginning with "/" is not relayed.');
    }
    this.#options.rules?.checkUrl(registry, 'first-hand');
    const path = `${registry.pathname.replace(/\/$/, '')}${request.path}`;
    const headers = without(endToEnd(request.headers), REPLACED);
    const incoming = await exchange(
      this.#connections,
      { method, origin: registry, path, headers, firstByteTimeout },
      signal,
    );
    const { status, statusText, body } = incoming;
    const bodiless = method === 'HEAD' || BODILESS.has(status);
    if (bodiless) {
      // Nothing comes, but only a body that was read gives its connection back.
      body.resume();
    }
    const length = byteCount(valueOf(incoming.headers, 'content-length'));
    const terms = { origin: hostAndPort(registry), length, stallTimeout, signal: incoming.signal };
    return {
      status,
      statusText,
      headers: endToEnd(incoming.headers),
      body: bodiless ? nothing() : bodyChunks(body, terms),
      discard: () => {
        if (!bodiless) cutOff(body);
      },
    };
  }

  /** Closes all connections; bodies in the middle fail. */
  async stop(): Promise<void> {
    await this.#connections.stop();
  }
}
