import type { ServerResponse } from 'node:http';

import { BlockSet, lineOf } from '@cdk8s-dragonfly/protocol';
import type { HaveMessage } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

/** A stream that was told nothing for so many ticks is pinged: twice a second at least it hears something. */
const QUIET_TICKS = 2;
/** In milliseconds. */
const TICK = 250;

/** How long new blocks are gathered before neighbours hear of them, in milliseconds. */
const GATHER = 3;

const PING = lineOf({ type: 'ping' });

/** One neighbour that listens. */
interface Listener {
  readonly response: ServerResponse;
  /** How many ticks have passed since it was told something. */
  quiet: number;
}

/**
 * The streams over which neighbours hear what this node has. There is one for each neighbour in each blob, so what they have in common is done
 * once: a line for all that listen to a blob, and a clock for all pings.
 */
export class HaveFeeds {
  private readonly listeners = new Set<Listener>();
  private readonly feeds = new WeakMap<StoredBlob, HaveFeed>();
  private ticking: NodeJS.Timeout | undefined;

  /** Begins a stream: it is pinged from now on, until its response is closed. */
  open(response: ServerResponse): Listener {
    // A body that ends with its connection needs no frames.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
    response.flushHeaders();
    const listener: Listener = { response, quiet: 0 };
    if (response.closed) return listener;
    this.listeners.add(listener);
    this.ticking ??= setInterval(() => this.tick(), TICK);
    response.once('close', () => {
      this.listeners.delete(listener);
      if (this.listeners.size > 0) return;
      clearInterval(this.ticking);
      this.ticking = undefined;
    });
    return listener;
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
    for (const listener of this.listeners) {
      listener.quiet += 1;
      if (listener.quiet >= QUIET_TICKS) tell(listener, PING);
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
    tell(listener, lineOf(this.all()));
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
    const { grid, held, size } = this.stored;
    const blocks = new BlockSet();
    const unattested = new BlockSet();
    for (const index of held) (this.isAttested(index) ? blocks : unattested).add(index);
    return {
      type: 'have',
      blocks: blocks.toBase64(),
      unattested: unattested.toBase64(),
      pieceSize: grid.pieceSize,
      ...(size === undefined ? {} : { size }),
    };
  }

  /** Attested blocks, and apart from them those that a neighbour can check only when it has the whole. */
  private came(index: number): void {
    (this.isAttested(index) ? this.news.blocks : this.news.unattested).push(index);
    this.timer ??= setTimeout(() => {
      const line = lineOf({ type: 'added', ...this.news });
      this.timer = undefined;
      this.news = noNews();
      for (const listener of this.listeners) tell(listener, line);
    }, GATHER);
  }

  private isAttested(index: number): boolean {
    return this.stored.proofOf(index)?.signature !== undefined;
  }
}

function tell(listener: Listener, line: string): void {
  const { response } = listener;
  if (response.destroyed || response.writableEnded) return;
  listener.quiet = 0;
  response.write(line);
}

function noNews(): { blocks: number[]; unattested: number[] } {
  return { blocks: [], unattested: [] };
}
