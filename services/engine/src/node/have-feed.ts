import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { BlockSet, lineOf } from '@cdk8s-dragonfly/protocol';
import type { HaveMessage } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

/** A neighbour that was told nothing for so many ticks is pinged: twice a second at least it hears something. */
const QUIET_TICKS = 2;
/** In milliseconds. */
const TICK = 250;

/**
 * A stream over which nothing went for so many ticks is pinged, whatever its neighbour hears over others: a connection that is still for half a minute
 * is closed, and so would be that of a blob of which there is no news.
 */
const STILL_TICKS = 40;

/** How long new blocks are gathered before neighbours hear of them, in milliseconds. */
const GATHER = 3;

/** A neighbour that leaves so many bytes unread is cut off: it may open another stream, and is told anew what is here. */
const MOST_UNREAD = 1024 * 1024;

const PING = Buffer.from(lineOf({ type: 'ping' }));

/** Who hears pings: the streams of a neighbour that counts any line for a sign of life, or one stream of another. */
interface Neighbour {
  readonly listeners: Set<Listener>;
  /** How many ticks have passed since it was told something. */
  quiet: number;
}

/** One stream. */
interface Listener {
  readonly response: ServerResponse;
  /**
   * Its connection, to which lines go straight once the head is on it: what a response does for each part of a body costs more than the write
   * itself, and there is nothing for it to do with this one. Null: it is closed.
   */
  readonly socket: Socket | null;
  readonly neighbour: Neighbour;
  /** How many ticks have passed since something went over it. */
  still: number;
}

/**
 * The streams over which neighbours hear what this node has. There is one for each neighbour in each blob, so what they have in common is done
 * once: a line for all that listen to a blob, a clock for all pings, and a ping for all streams of a neighbour.
 */
export class HaveFeeds {
  private readonly neighbours = new Set<Neighbour>();
  private readonly byName = new Map<string, Neighbour>();
  private readonly feeds = new WeakMap<StoredBlob, HaveFeed>();
  private ticking: NodeJS.Timeout | undefined;

  /**
   * Begins a stream: it is pinged from now on, until its response is closed.
   *
   * @param name of a neighbour for which a ping on any of its streams is enough. Default: each is pinged.
   */
  open(response: ServerResponse, name?: string): Listener {
    // A body that ends with its connection needs no frames.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.flushHeaders();
    const { socket } = response;
    const known = name === undefined ? undefined : this.byName.get(name);
    const neighbour = known ?? { listeners: new Set(), quiet: 0 };
    const listener: Listener = { response, socket, neighbour, still: 0 };
    if (response.closed) return listener;
    neighbour.listeners.add(listener);
    this.neighbours.add(neighbour);
    if (name !== undefined) this.byName.set(name, neighbour);
    this.ticking ??= setInterval(() => this.tick(), TICK);
    response.once('close', () => this.closed(listener, name));
    return listener;
  }

  private closed(listener: Listener, name: string | undefined): void {
    const { neighbour } = listener;
    neighbour.listeners.delete(listener);
    if (neighbour.listeners.size > 0) return;
    this.neighbours.delete(neighbour);
    if (name !== undefined) this.byName.delete(name);
    if (this.neighbours.size > 0) return;
    clearInterval(this.ticking);
    this.ticking = undefined;
  }

  /** Tells what is here of a blob, and from now on each block that comes; returns what ends that. */
  follow(listener: Listener, stored: StoredBlob): () => void {
    let feed = this.feeds.get(stored);
    if (feed === undefined) {
      feed = new HaveFeed(stored);
      this.feeds.set(stored, feed);
    }
    return feed.join(listener);
  }

  private tick(): void {
    for (const neighbour of this.neighbours) {
      neighbour.quiet += 1;
      for (const listener of neighbour.listeners) {
        listener.still += 1;
        if (listener.still >= STILL_TICKS) tell(listener, PING);
      }
      if (neighbour.quiet < QUIET_TICKS) continue;
      const [next] = neighbour.listeners;
      if (next === undefined) continue;
      // In turn: one whose connection is dead and not known to be does not keep the others' pings.
      neighbour.listeners.delete(next);
      neighbour.listeners.add(next);
      tell(next, PING);
    }
  }
}

/** What comes of one blob. */
class HaveFeed {
  private readonly listeners = new Set<Listener>();
  private unwatch: (() => void) | undefined;
  private news = noNews();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly stored: StoredBlob) {}

  join(listener: Listener): () => void {
    this.unwatch ??= this.stored.watch((index) => this.came(index));
    tell(listener, Buffer.from(lineOf(this.all())));
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      this.unwatch?.();
      this.unwatch = undefined;
      clearTimeout(this.timer);
      this.timer = undefined;
      this.news = noNews();
    };
  }

  private all(): HaveMessage {
    const { edition, grid, held, size } = this.stored;
    const blocks = new BlockSet();
    const unattested = new BlockSet();
    for (const index of held) (this.isAttested(index) ? blocks : unattested).add(index);
    return {
      type: 'have',
      blocks: blocks.toBase64(),
      unattested: unattested.toBase64(),
      pieceSize: grid.pieceSize,
      ...(size === undefined ? {} : { size }),
      ...(edition === undefined ? {} : { edition: edition.id }),
    };
  }

  /** Attested blocks, and apart from them those that a neighbour can check only when it has the whole. */
  private came(index: number): void {
    (this.isAttested(index) ? this.news.blocks : this.news.unattested).push(index);
    this.timer ??= setTimeout(() => {
      // The same bytes for all.
      const line = Buffer.from(lineOf({ type: 'added', ...this.news }));
      this.timer = undefined;
      this.news = noNews();
      for (const listener of this.listeners) tell(listener, line);
    }, GATHER);
  }

  private isAttested(index: number): boolean {
    return this.stored.proofOf(index)?.signature !== undefined;
  }
}

function tell(listener: Listener, line: Buffer): void {
  const { neighbour, response, socket } = listener;
  if (socket === null || socket.destroyed || response.writableEnded) return;
  neighbour.quiet = 0;
  listener.still = 0;
  // Each write shows the connection's own timer that something moves, though nobody reads.
  if (!socket.write(line) && socket.writableLength > MOST_UNREAD) response.destroy();
}

function noNews(): { blocks: number[]; unattested: number[] } {
  return { blocks: [], unattested: [] };
}
