import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';

import { readAnswer } from '@cdk8s-dragonfly/protocol';
import type { ClassicAnswer } from '@cdk8s-dragonfly/protocol';

import { FORWARD_HEADER } from './forward-mark';
import type { Forwardable } from './forward-mark';
import type { Replica } from './replica-set';

/** How long a replica may take to answer, in ms: original clients give up after 3 to 5 s. */
const FORWARD_LIMIT = 2000;

/** A connection without a request is closed after this time, in ms: before the other side does it. */
const IDLE_CONNECTION = 10_000;

/** Connections to one replica. */
const CONNECTIONS = 256;

/** The largest answer in bytes; four pieces take 2 KiB. */
const MAX_ANSWER = 64 * 1024;

/** Passes original clients' requests on to other replicas. */
export class ForwardClient {
  private readonly agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION, maxSockets: CONNECTIONS });

  /** @param limit how long an answer may take, in ms. Default {@link FORWARD_LIMIT}. */
  constructor(private readonly limit = FORWARD_LIMIT) {}

  /**
   * What a replica answers.
   *
   * @throws SilentReplica when it does not answer in time; Error when it is gone or about to stop, or answers something else than the protocol has.
   */
  async send(to: Pick<Replica, 'ip' | 'port'>, message: Forwardable, mark: string): Promise<ClassicAnswer> {
    const signal = AbortSignal.timeout(this.limit);
    try {
      return await this.exchange(to, message, mark, signal).catch((error: unknown) => {
        // The other side may close a connection just when it is used again: that says nothing of the replica.
        if (!(error instanceof StaleConnection) || signal.aborted) throw error;
        return this.exchange(to, message, mark, signal);
      });
    } catch (error) {
      throw signal.aborted ? new SilentReplica(`no answer within ${this.limit} ms`, { cause: error }) : error;
    }
  }

  stop(): void {
    this.agent.destroy();
  }

  private async exchange(
    { ip: host, port }: Pick<Replica, 'ip' | 'port'>,
    { target: path, body }: Forwardable,
    mark: string,
    signal: AbortSignal,
  ): Promise<ClassicAnswer> {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = {
      [FORWARD_HEADER]: mark,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/json;charset=utf-8', 'content-length': Buffer.byteLength(body) }),
    };
    const outgoing = request({ host, port, path, method, headers, agent: this.agent, signal });
    outgoing.end(body);
    const incoming = await responseTo(outgoing);
    const text = await textOf(incoming);
    const { statusCode = 0 } = incoming;
    // A replica that stops, or has too much to do, closes the connection after its refusal.
    if (incoming.headers.connection === 'close') throw new Error('it takes no more requests');
    const answer = readAnswer(statusCode, text);
    if (!answer.ok || statusCode !== 200) throw new Error(answer.ok ? `it answered ${statusCode}` : answer.fault);
    const { code, msg, data } = answer;
    return { code, ...(msg === '' ? {} : { msg }), ...(data === undefined ? {} : { data }) };
  }
}

/** A replica has not answered in time: it may have too much to do. */
export class SilentReplica extends Error {
  override readonly name = 'SilentReplica';
}

/** A kept connection was closed before an answer came over it. */
class StaleConnection extends Error {
  override readonly name = 'StaleConnection';
}

async function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  try {
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  } catch (error) {
    const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
    throw outgoing.reusedSocket && isReset ? new StaleConnection('closed', { cause: error }) : error;
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new Error(`its answer is longer than ${MAX_ANSWER} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
