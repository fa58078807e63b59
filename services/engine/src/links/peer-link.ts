import { BlockSet, haveLine, havePath } from '@cdk8s-dragonfly/protocol';
import type { BlobId, HaveEvent, Neighbour } from '@cdk8s-dragonfly/protocol';

import { linkFailure } from './failure';
import type { LinkFailure } from './failure';
import { followLines } from './line-stream';
import type { NeighbourPatience } from './neighbour-patience';
import type { StreamTimeouts } from './stream-connection';

export interface PeerLinkOptions {
  readonly peer: Neighbour;
  readonly blob: BlobId;
  /** This daemon's own name. */
  readonly cid: string;
  readonly timeouts: StreamTimeouts;
  /** With the peer, in all blobs. */
  readonly patience: NeighbourPatience;
  /** Blocks from this one on are not believed: the blob has fewer. */
  readonly end: () => number;
  /** It answers, or has told anew of all that it has. */
  readonly changed: () => void;
  /** It has got more blocks. */
  readonly added: (blocks: readonly number[]) => void;
  /** It is no longer of use. Called once, unless {@link PeerLink.close} came first. */
  readonly ended: (reason: LinkFailure) => void;
}

/** The grid of a blob and its length in bytes; undefined while that is not known. */
export interface BlobShape {
  readonly pieceSize: number;
  readonly size: number | undefined;
}

/** One neighbour in the swarm of one blob: what it has, as it tells. */
export class PeerLink {
  readonly has = new BlockSet();
  /** The same, and those that no supernode has attested. */
  readonly hasAtAll = new BlockSet();
  readonly origin: URL;
  /** Fetches from it that failed in a row. */
  failures = 0;
  /** How long its blocks took lately, in milliseconds a MiB; 0: none has come. */
  pace = 0;
  /** Until when it is not asked for blocks, in milliseconds of the monotonic clock. */
  pausedUntil = 0;
  private readonly closing = new AbortController();
  private open = false;
  private told: BlobShape | undefined;
  private toldEdition: string | undefined;

  constructor(private readonly options: PeerLinkOptions) {
    const { ip, port } = options.peer;
    this.origin = new URL(`http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`);
    this.follow().catch((error: unknown) => {
      if (!this.closing.signal.aborted) options.ended(linkFailure(error, `peer ${this.origin.host}`));
    });
  }

  get cid(): string {
    return this.options.peer.cid;
  }

  get neighbour(): Neighbour {
    return this.options.peer;
  }

  /** Whether it has answered and may be asked for blocks. */
  get alive(): boolean {
    return this.open && !this.closing.signal.aborted;
  }

  /** What it says of the blob's grid; undefined when it has not. */
  get shape(): BlobShape | undefined {
    return this.told;
  }

  /** Of which edition it says that its blocks are; undefined: it does not say. */
  get edition(): string | undefined {
    return this.toldEdition;
  }

  close(): void {
    this.closing.abort(new Error('the link is closed'));
  }

  /** It turned out not to give a block. */
  lacks(block: number): void {
    this.has.delete(block);
    this.hasAtAll.delete(block);
  }

  private async follow(): Promise<void> {
    const { blob, cid, patience, timeouts } = this.options;
    const url = new URL(havePath(blob, cid, 'one'), this.origin);
    const options = {
      timeouts,
      form: haveLine,
      silence: patience.silence,
      wait: (lost: () => void) => patience.with(this.cid, lost),
      signal: this.closing.signal,
    };
    await followLines<HaveEvent>(url, options, (event) => this.hear(event));
    throw new Error('it ended the stream of what it has');
  }

  private hear(event: HaveEvent): void {
    const { added, changed, end } = this.options;
    const isFirst = !this.open;
    this.open = true;
    if (event.type === 'added') {
      const { blocks, unattested = [] } = event;
      const most = end();
      const news = [...blocks, ...unattested].filter((block) => block < most);
      for (const block of blocks) if (block < most) this.has.add(block);
      for (const block of news) this.hasAtAll.add(block);
      if (news.length > 0) added(news);
    } else if (event.type === 'have') {
      this.toldEdition = event.edition;
      this.has.addAll(event.blocks, end());
      this.hasAtAll.addAll(event.blocks, end());
      if (event.unattested !== undefined) this.hasAtAll.addAll(event.unattested, end());
      if (event.pieceSize !== undefined) this.told = { pieceSize: event.pieceSize, size: event.size };
    }
    if (isFirst || event.type === 'have') changed();
  }
}
