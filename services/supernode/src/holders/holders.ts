import { createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { timeoutSignal } from '@cdk8s-dragonfly/command';
import { Bell, BlockClient, LinkFailure, NeighbourPatience, PeerLink, fetchBlock } from '@cdk8s-dragonfly/engine';
import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Neighbour } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

/** So many are asked at a time; more bring nothing. */
const MOST_LINKS = 16;

/** So many are known: one that turns out to be of no use makes way for another. */
const MOST_KNOWN = 256;

/** How long they may take to tell what they have, in ms. */
const TELL_WITHIN = 1000;

/** How long others who were in the swarm are waited for before the origin is asked, in ms, from when the first of them came. */
const OTHERS_WITHIN = 500;

/** How long one may be silent, or send nothing of a block, in ms; and how long it may take for a block in all. */
const SILENCE = 2000;
const BLOCK_WITHIN = 3000;

/** Blocks asked of one at a time. */
const SLOTS = 2;

/** One that failed so often in a row is not asked any more. */
const MAX_FAILURES = 2;

/** A block that did not come so often is asked of the origin. */
const MAX_MISSES = 2;

/** Before the length is known, nobody is believed to have more blocks: 64 GiB. */
const UNKNOWN_END = 65_536;

/** The ways to daemons, the same for all blobs. */
export class HolderRoads {
  readonly streams = { connect: 1000, answer: SILENCE };
  readonly blocks = new BlockClient({ connect: 1000, stall: SILENCE });
  readonly patience = new NeighbourPatience(SILENCE);
  /** As which daemons know this supernode: replicas may share an address. */
  readonly name = `supernode-${randomBytes(8).toString('hex')}`;

  stop(): Promise<void> {
    this.blocks.stop();
    return Promise.resolve();
  }
}

export interface HoldersTools {
  /** The private key that attested the blocks. */
  readonly key: KeyObject;
  readonly roads: HolderRoads;
  /** Who tells that it holds a blob whole. Default: nobody does. */
  readonly holdersOf?: ((blob: BlobId) => readonly Neighbour[]) | undefined;
  readonly log: { debug(fields: object, message: string): void };
  /** Counts what they bring. Default: nobody does. */
  readonly meter?: { holderBytes: number } | undefined;
}

/**
 * The daemons that hold a blob, whole or in part, and blocks from them: attested by this supernode before it was started anew, or by another
 * replica, they need not leave their origin again.
 */
export class Holders {
  /** Rings when a block has come, or nobody brings one any more. */
  readonly bell = new Bell();
  /** Those that are asked, or are to be. */
  private readonly known = new Map<string, Neighbour>();
  private readonly links = new Map<string, PeerLink>();
  private key: KeyObject | undefined;
  /** Of whom a block was asked, by block; another map for each try. */
  private underWay = new Map<number, string>();
  /** How often a block was asked for in vain. */
  private readonly misses = new Map<number, number>();
  private following: { readonly stored: StoredBlob; readonly signal: AbortSignal } | undefined;
  private isOpen = false;
  /** The size of pieces that the blob is known to have. */
  private believed: number | undefined;
  private othersUntil = -Infinity;
  private fault: { readonly error: unknown } | undefined;

  constructor(
    private readonly blob: BlobId,
    private readonly tools: HoldersTools,
  ) {}

  /** Whether any are known. */
  get any(): boolean {
    return this.known.size > 0;
  }

  /** One more. @param others whether more can be expected to come now. */
  add(peer: Neighbour, others = false): void {
    if (this.known.has(peer.cid) || this.known.size >= MOST_KNOWN) return;
    if (others && this.othersUntil === -Infinity) this.othersUntil = performance.now() + OTHERS_WITHIN;
    this.known.set(peer.cid, peer);
    this.fill();
  }

  /**
   * Asks all who hold the blob now what they have, and those who come from now on, until {@link close}.
   *
   * @param pieceSize those who tell of pieces of another size are not believed. Default: one is as good as another.
   */
  open(pieceSize?: number): void {
    this.isOpen = true;
    this.believed = pieceSize;
    this.fault = undefined;
    for (const peer of this.tools.holdersOf?.(this.blob) ?? []) this.add(peer);
    this.fill();
  }

  /** Asks nobody any more. Those who were of use are asked again when it is opened again. */
  close(): void {
    this.isOpen = false;
    this.following = undefined;
    for (const link of this.links.values()) link.close();
    this.links.clear();
    this.underWay = new Map();
    this.misses.clear();
    this.bell.ring();
  }

  /** Knows nobody any more: a later fetch asks those who are there then. */
  forget(): void {
    this.known.clear();
    this.othersUntil = -Infinity;
  }

  /** Resolves when each has told what it has, or is of no use; at the latest after a time. */
  async haveTold(signal: AbortSignal): Promise<void> {
    const late = AbortSignal.any([signal, timeoutSignal(TELL_WITHIN)]);
    while ([...this.links.values()].some(({ alive }) => !alive)) {
      try {
        await this.bell.next(late);
      } catch {
        signal.throwIfAborted();
        return; // those who have not told yet are not waited for
      }
    }
  }

  /** The size of the blob's pieces, as one of them tells it; undefined when none does. */
  get pieceSize(): number | undefined {
    for (const link of this.links.values()) {
      const { shape, has } = link;
      if (shape !== undefined && has.count > 0 && this.fits(link)) return shape.pieceSize;
    }
    return undefined;
  }

  /** The last block that one of them has, as they tell; -1 when there is none. */
  get last(): number {
    return Math.max(-1, ...[...this.links.values()].map((link) => (this.isOfUse(link) ? link.has.last : -1)));
  }

  /** Keeps blocks coming that are missing, until it is aborted or {@link close}d. */
  follow(stored: StoredBlob, signal: AbortSignal): void {
    if (!this.isOpen) return;
    this.following = { stored, signal };
    this.pump();
  }

  /** Whether a block will come from one of them, as far as is known. @throws what went wrong when one was written. */
  brings(block: number): boolean {
    if (this.fault !== undefined) throw this.fault.error;
    if (this.isHopeless(block)) return false;
    return (
      this.underWay.has(block) || [...this.links.values()].some((link) => this.isOfUse(link) && link.has.has(block))
    );
  }

  /** Whether the last block may come from one of them, as they tell: then it is known how long the blob is. @throws as {@link brings}. */
  bringsEnd(stored: StoredBlob): boolean {
    return [...this.links.values()].some((link) => {
      const final = finalOf(link, stored);
      return final !== undefined && this.brings(final);
    });
  }

  /** Waits for others who may bring what is missing. @returns false when none is to be expected. */
  async othersMayCome(signal: AbortSignal): Promise<boolean> {
    const left = this.othersUntil - performance.now();
    if (left <= 0) return false;
    try {
      await this.bell.next(AbortSignal.any([signal, timeoutSignal(Math.ceil(left))]));
    } catch {
      signal.throwIfAborted();
    }
    return true;
  }

  private isOfUse(link: PeerLink): boolean {
    return link.alive && this.fits(link);
  }

  /** Whether the pieces that one tells of are those of the blob, as far as is known. One of them is wrong, and it is not known yet which. */
  private fits({ shape }: PeerLink): boolean {
    const known = this.following?.stored.grid.pieceSize ?? this.believed;
    return known === undefined || shape === undefined || shape.pieceSize === known;
  }

  private isHopeless(block: number): boolean {
    return (this.misses.get(block) ?? 0) >= MAX_MISSES;
  }

  /** Asks those who are known, as many as there is room for. */
  private fill(): void {
    if (!this.isOpen) return;
    for (const peer of this.known.values()) {
      if (this.links.size >= MOST_LINKS) return;
      if (!this.links.has(peer.cid)) this.link(peer);
    }
  }

  /** Those who have nothing that is missing make way for others. */
  private makeWay(): void {
    if (this.known.size <= this.links.size) return;
    const held = this.following?.stored.held ?? new BlockSet();
    for (const link of this.links.values()) {
      if (this.known.size <= MOST_LINKS) break;
      if (link.alive && link.has.firstBeyond(held) === undefined) this.unlink(link);
    }
    this.fill();
  }

  private unlink(link: PeerLink): void {
    link.close();
    this.links.delete(link.cid);
    this.known.delete(link.cid);
  }

  private link(peer: Neighbour): void {
    const link = new PeerLink({
      peer,
      blob: this.blob,
      cid: this.tools.roads.name,
      timeouts: this.tools.roads.streams,
      patience: this.tools.roads.patience,
      end: () => {
        const stored = this.following?.stored;
        return stored?.size === undefined ? UNKNOWN_END : stored.grid.blockCount(stored.size);
      },
      changed: () => this.changed(),
      added: () => this.changed(),
      ended: (reason) => this.drop(link, reason),
    });
    this.links.set(peer.cid, link);
  }

  private changed(): void {
    this.makeWay();
    this.pump();
    this.bell.ring();
  }

  /** Asks each that is free for the next block that it has and nobody was asked for. */
  private pump(): void {
    const { following } = this;
    if (following === undefined || following.signal.aborted) return;
    const { stored } = following;
    const end = stored.size === undefined ? UNKNOWN_END : stored.grid.blockCount(stored.size);
    for (let asked = true; asked;) {
      asked = false;
      for (const link of this.links.values()) {
        if (!this.isOfUse(link) || this.busy(link) >= SLOTS) continue;
        const block = this.next(stored, link, end);
        if (block === undefined) continue;
        asked = true;
        this.ask(following, link, block).catch((error: unknown) => {
          this.fault = { error };
          this.bell.ring();
        });
      }
    }
  }

  private busy(link: PeerLink): number {
    let count = 0;
    for (const cid of this.underWay.values()) if (cid === link.cid) count += 1;
    return count;
  }

  private next(stored: StoredBlob, link: PeerLink, end: number): number | undefined {
    const final = finalOf(link, stored);
    if (final !== undefined && this.mayAsk(link, final)) return final;
    const last = Math.min(link.has.last, end - 1);
    for (let block = stored.held.firstMissing(); block <= last; block = stored.held.firstMissing(block + 1)) {
      if (this.mayAsk(link, block)) return block;
    }
    return undefined;
  }

  private mayAsk(link: PeerLink, block: number): boolean {
    return link.has.has(block) && !this.underWay.has(block) && !this.isHopeless(block);
  }

  private async ask(
    { stored, signal }: { readonly stored: StoredBlob; readonly signal: AbortSignal },
    link: PeerLink,
    index: number,
  ): Promise<void> {
    const { blob } = this;
    const key = (this.key ??= createPublicKey(this.tools.key));
    const { underWay } = this;
    const { grid, size } = stored;
    underWay.set(index, link.cid);
    try {
      const limited = AbortSignal.any([signal, timeoutSignal(BLOCK_WITHIN)]);
      const block = await fetchBlock(link.origin, { blob, grid, size, index, key }, this.tools.roads.blocks, limited);
      link.failures = 0;
      // Its attestation covers its length, and only the last is short.
      if (block.length < grid.span(index).length) await stored.setSize(grid.span(index).offset + block.length);
      const isNew = await stored.write(index, block.chunks, block.proof);
      if (isNew && this.tools.meter !== undefined) this.tools.meter.holderBytes += block.length;
    } catch (error) {
      if (signal.aborted) return;
      const late = error instanceof Error && error.name === 'TimeoutError';
      if (!late && !(error instanceof LinkFailure)) throw error;
      link.lacks(index);
      link.failures += 1;
      this.misses.set(index, (this.misses.get(index) ?? 0) + 1);
      const lies = error instanceof LinkFailure && error.kind === 'lying';
      if (lies || late || link.failures >= MAX_FAILURES) this.drop(link, error);
    } finally {
      underWay.delete(index);
      this.changed();
    }
  }

  private drop(link: PeerLink, { message }: Error): void {
    if (this.links.get(link.cid) !== link) return;
    this.unlink(link);
    this.tools.log.debug(
      { blob: this.blob, peer: link.origin.host, reason: message },
      'a holder is not asked any more',
    );
    this.changed();
  }
}

/** The block with which the blob ends, as a holder says, while nobody knows: when it is short, it shows how long the blob is. */
function finalOf({ shape }: PeerLink, { grid, held, size }: StoredBlob): number | undefined {
  if (size !== undefined || shape?.size === undefined || shape.size === 0 || shape.pieceSize !== grid.pieceSize)
    return undefined;
  const final = grid.blockCount(shape.size) - 1;
  return held.has(final) ? undefined : final;
}
