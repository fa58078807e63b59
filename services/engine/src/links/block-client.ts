import { BlockBuffers } from '@cdk8s-dragonfly/store';

import { BlockConnection } from './block-connection';
import type { BlockAnswer, BlockRequest, BlockTimeouts } from './block-connection';
import { ReadRounds } from './read-rounds';

/** Connections to one supernode or neighbour. */
const MAX_CONNECTIONS = 16;

/** How long a connection is kept for another request, in milliseconds; servers keep them longer. */
const IDLE = 4000;

interface Pool {
  readonly idle: { readonly connection: BlockConnection; readonly timer: NodeJS.Timeout }[];
  readonly open: Set<BlockConnection>;
  /** Who waits for a connection, the first first. */
  readonly waiting: Set<() => void>;
}

/** Asks supernodes and neighbours for blocks, over connections that are kept. */
export class BlockClient {
  private readonly pools = new Map<string, Pool>();
  private readonly rounds = new ReadRounds();

  /** @param buffers memory for blocks. Default: its own. */
  constructor(
    private readonly timeouts: BlockTimeouts,
    private readonly buffers = new BlockBuffers(),
  ) {}

  /**
   * One GET.
   *
   * @param origin such as `http://10.0.0.1:15001`.
   * @throws LinkFailure `lying` when the answer is longer or not of HTTP; Error when there is none; `signal`'s reason when it aborts.
   */
  async get(origin: URL, asked: BlockRequest, signal: AbortSignal): Promise<BlockAnswer> {
    for (;;) {
      const { pool, connection } = await this.connection(origin, signal);
      const { isUsed } = connection;
      const abort = (): void => connection.close(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await connection.get(asked);
      } catch (error) {
        signal.throwIfAborted();
        // The other side may have closed it just as it was used again.
        if (!isUsed || !isReset(error)) throw error;
      } finally {
        signal.removeEventListener('abort', abort);
        keep(pool, connection);
      }
    }
  }

  /** To how many supernodes and neighbours connections are open or waited for. */
  get hosts(): number {
    return this.pools.size;
  }

  /** Closes all connections; requests that are under way fail. */
  stop(): void {
    for (const { idle, open } of this.pools.values()) {
      for (const { timer } of idle) clearTimeout(timer);
      for (const connection of [...open]) connection.close(new Error('the daemon is stopping'));
    }
  }

  private async connection(
    origin: URL,
    signal: AbortSignal,
  ): Promise<{ readonly pool: Pool; readonly connection: BlockConnection }> {
    for (;;) {
      signal.throwIfAborted();
      // Who has waited may find that the last connection of the pool has closed, and the pool is gone with it.
      const pool = this.poolOf(origin);
      for (let last = pool.idle.pop(); last !== undefined; last = pool.idle.pop()) {
        clearTimeout(last.timer);
        if (last.connection.usable) return { pool, connection: last.connection };
      }
      if (pool.open.size < MAX_CONNECTIONS) {
        const closed = (connection: BlockConnection): void => this.closed(origin, pool, connection);
        const connection = new BlockConnection(origin, this.timeouts, this.buffers, this.rounds, closed);
        pool.open.add(connection);
        return { pool, connection };
      }
      await turn(pool.waiting, signal);
    }
  }

  private closed(origin: URL, pool: Pool, connection: BlockConnection): void {
    pool.open.delete(connection);
    const at = pool.idle.findIndex((idle) => idle.connection === connection);
    for (const { timer } of at === -1 ? [] : pool.idle.splice(at, 1)) clearTimeout(timer);
    wakeOne(pool);
    if (pool.open.size === 0 && pool.waiting.size === 0) this.pools.delete(origin.host);
  }

  private poolOf(origin: URL): Pool {
    let pool = this.pools.get(origin.host);
    if (pool === undefined) {
      pool = { idle: [], open: new Set(), waiting: new Set() };
      this.pools.set(origin.host, pool);
    }
    return pool;
  }
}

/** A request has ended. */
function keep(pool: Pool, connection: BlockConnection): void {
  if (connection.usable) {
    const timer = setTimeout(() => connection.close(new Error('the connection is not needed')), IDLE);
    timer.unref();
    pool.idle.push({ connection, timer });
  }
  wakeOne(pool);
}

function wakeOne({ waiting }: Pool): void {
  const [next] = waiting;
  if (next === undefined) return;
  waiting.delete(next);
  next();
}

async function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      waiting.delete(wake);
      reject(signal.reason as Error);
    };
    const wake = (): void => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    waiting.add(wake);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** Whether the other side has closed the connection. */
function isReset(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || error.message === 'the connection was closed';
}
