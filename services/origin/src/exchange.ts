import type { IncomingMessage } from 'node:http';
import type { Connections } from './connections';
import { codeOf, failureOf } from './failure';
import type { HeaderLine } from './header-lines';
import { linesFromFlat } from './header-lines';
import { hostAndPort } from './host-port';
import { OriginError } from './origin-error';

/** One request on the wire. */
export interface Outgoing {
  readonly method: 'GET' | 'HEAD';
  /** Scheme, host and port are used. */
  readonly origin: URL;
  /** Path and query, sent as they are. */
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  /** How long the head of the answer may take from now, the opening of a connection included; in milliseconds. */
  readonly firstByteTimeout: number;
}

/** The head of an answer, and its body to be read, or destroyed. */
export interface Incoming {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderLine[];
  readonly body: IncomingMessage;
  /** Aborts with the caller's signal, and when the connections are stopped; the body is gone then. */
  readonly signal: AbortSignal;
}

/** A kept connection was closed by the other side just as we used it; the request may be repeated (RFC 9112, 9.3.1). */
class Stale extends Error {
  override readonly name = 'Stale';
}

function attempt(connections: Connections, outgoing: Outgoing, gate: AbortSignal): Promise<IncomingMessage> {
  const { method, origin, path, headers } = outgoing;
  return new Promise((resolve, reject) => {
    const request = connections.request(method, origin, path, headers);
    const tooSlow = (): void => {
      const text = `Origin ${hostAndPort(origin)} cannot be reached: it accepted no connection within ${connections.connectTimeout} ms.`;
      request.destroy(new OriginError('unreachable', text, { retryable: true }));
    };
    const onAbort = (): void => {
      request.destroy(gate.reason as Error);
      // Without a connection yet the request itself does not end before it gets one.
      reject(gate.reason as Error);
    };
    let connecting: NodeJS.Timeout | undefined;
    gate.addEventListener('abort', onAbort, { once: true });
    request
      .once('socket', (socket) => {
        if (!request.reusedSocket) {
          connecting = setTimeout(tooSlow, connections.connectTimeout);
          socket.once(origin.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
        }
      })
      .once('response', resolve)
      // An error after the head reaches whoever reads the body, by the body.
      .on('error', (error) => {
        const code = codeOf(error);
        const stale = request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
        reject(stale ? new Stale('kept connection was closed', { cause: error }) : error);
      })
      .once('close', () => {
        clearTimeout(connecting);
        gate.removeEventListener('abort', onAbort);
        reject(new Error('the connection closed without an answer'));
      })
      .end();
  });
}

async function untilFresh(connections: Connections, outgoing: Outgoing, gate: AbortSignal): Promise<IncomingMessage> {
  // Each round uses up one kept connection, so this ends.
  for (;;) {
    try {
      return await attempt(connections, outgoing, gate);
    } catch (error) {
      if (!(error instanceof Stale) || gate.aborted) {
        throw error;
      }
    }
  }
}

/**
 * Sends one request and resolves with the head of the answer. The body is bound to `signal` until it is closed.
 *
 * @throws OriginError `unreachable`, `timeout`, `protocol`, or what the rules for connections threw; the reason of `signal` when it aborts.
 */
export async function exchange(connections: Connections, outgoing: Outgoing, signal: AbortSignal): Promise<Incoming> {
  signal.throwIfAborted();
  connections.stopped.throwIfAborted();
  const origin = hostAndPort(outgoing.origin);
  const gate = new AbortController();
  const onAbort = (): void => gate.abort(signal.reason);
  const onStop = (): void => gate.abort(connections.stopped.reason);
  const release = (): void => {
    signal.removeEventListener('abort', onAbort);
    connections.stopped.removeEventListener('abort', onStop);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  connections.stopped.addEventListener('abort', onStop, { once: true });
  const timer = setTimeout(() => {
    const text = `Origin ${origin} sent no answer within ${outgoing.firstByteTimeout} ms.`;
    gate.abort(new OriginError('timeout', text, { retryable: true }));
  }, outgoing.firstByteTimeout);
  try {
    const answer = await untilFresh(connections, outgoing, gate.signal);
    answer.once('close', release);
    return {
      status: answer.statusCode ?? 0,
      statusText: answer.statusMessage ?? '',
      headers: linesFromFlat(answer.rawHeaders),
      body: answer,
      signal: gate.signal,
    };
  } catch (error) {
    release();
    gate.signal.throwIfAborted();
    throw failureOf(error, origin, 'head');
  } finally {
    clearTimeout(timer);
  }
}
