import type { KeyObject } from 'node:crypto';

import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Neighbour } from '@cdk8s-dragonfly/protocol';

import { LinkFailure } from '../links/failure';
import { PeerLink } from '../links/peer-link';
import type { Joined } from '../links/registration';
import { Overdue } from '../picker/overdue';
import type { Flight, PickSource } from '../picker/picker';
import { averaged } from './averaged';
import type { DownloadTools } from './tools';

/** The supernode's name among the sources; no peer's: those have an address in it. */
export const SUPERNODE = 'supernode';

/** A peer that failed so often in a row is dropped. */
const MAX_FAILURES = 2;

/** How long a source that gives to others first, or a supernode that failed to give a block, is not asked for another, in milliseconds. */
const PAUSE = 250;

/**
 * A peer that has another edition is heard anew after this time, in milliseconds: it, or this node, goes over to the other's. One that does not say
 * which it has, and gave blocks of another, is heard anew after twice as long each time.
 */
const RENEW_AFTER = 1000;

/** Of a blob of unknown length, peers are not believed to have more blocks than this: 64 GiB. */
const UNKNOWN_END = 65_536;

/** What is known of a download's blob. */
export interface KnownOfBlob {
  /** How many blocks it has. */
  readonly end: number | undefined;
  /** The id of the edition that is fetched, of a blob that is named by its URL. */
  readonly edition: string | undefined;
}

/** Whom a download may ask for blocks: the supernode and the neighbours it named. */
export class Sources {
  private hasAtSupernode = new BlockSet();
  private supernodeHad = new Overdue();
  private readonly peers = new Map<string, PeerLink>();
  /** Peers that lied or failed: not linked again in this download. */
  private readonly dropped = new Set<string>();
  /** Peers that have another edition, until they are linked again. */
  private readonly renewing = new Map<string, NodeJS.Timeout>();
  /** How many blocks of another edition came from peers that had not said so. */
  private readonly outdated = new Map<string, number>();
  private joined: Joined | undefined;
  private supernodeAlive = false;
  private supernodePausedUntil = 0;

  constructor(
    private readonly blob: BlobId,
    private readonly tools: DownloadTools,
    private readonly changed: () => void,
    private readonly known: () => KnownOfBlob,
    /** A neighbour failed, or gave what it should not. */
    private readonly gone: (cid: string) => void,
  ) {}

  get key(): KeyObject | undefined {
    return this.joined?.key;
  }

  /** Whether a supernode has taken us in and answers. */
  get supernodeAnswers(): boolean {
    return this.supernodeAlive;
  }

  /** Whether the supernode was there and has gone silent. */
  get supernodeIsLost(): boolean {
    return this.joined !== undefined && !this.supernodeAlive;
  }

  /** How many neighbours answer. */
  get alivePeers(): number {
    return this.useful.length;
  }

  /** The names of the neighbours that answer. */
  get namesAlive(): readonly string[] {
    return this.useful.map(({ cid }) => cid);
  }

  /**
   * Whether a live neighbour has the block.
   *
   * @param late those that do not give what they were asked for, which do not count.
   * @param unattested whether a block counts that no supernode has attested.
   */
  offered(block: number, late: ReadonlySet<string>, unattested: boolean): boolean {
    return this.useful.some((peer) => !late.has(peer.cid) && (unattested ? peer.hasAtAll : peer.has).has(block));
  }

  /** Whether the supernode is there and has the block. */
  supernodeOffers(block: number): boolean {
    return this.supernodeAlive && this.supernodeHas.has(block);
  }

  supernodeJoined(joined: Joined): void {
    this.joined = joined;
    this.supernodeAlive = true;
  }

  supernodeLost(): void {
    this.supernodeAlive = false;
    // Another, or the same started anew, may have none of it.
    this.supernodeHas = new BlockSet();
  }

  /** What the supernode says it has. */
  get supernodeHas(): BlockSet {
    return this.hasAtSupernode;
  }

  /** When it says anew what it has, the blob may have begun anew: nothing of that has been there for long. */
  set supernodeHas(has: BlockSet) {
    this.hasAtSupernode = has;
    this.supernodeHad = new Overdue();
  }

  /** What the supernode has had for long, see {@link Overdue}. @param step in milliseconds. */
  overdue(now: number, step: number): readonly BlockSet[] {
    return this.supernodeHad.look(now, this.supernodeHas, step);
  }

  /** Anything that it says shows that it lives. */
  supernodeHeard(): void {
    this.supernodeAlive = this.joined !== undefined;
  }

  /** Links new neighbours. Those no longer named are kept while they are of use: they may hold what we need. */
  setNeighbours(neighbours: readonly Neighbour[]): void {
    for (const peer of neighbours) {
      const { cid } = peer;
      if (this.peers.has(cid) || this.dropped.has(cid) || this.renewing.has(cid) || cid === this.tools.cid) continue;
      const link = new PeerLink({
        peer,
        blob: this.blob,
        cid: this.tools.cid,
        dispatcher: this.tools.streams,
        patience: this.tools.patience,
        end: () => this.known().end ?? UNKNOWN_END,
        changed: this.changed,
        ended: (reason) => this.drop(link, reason),
      });
      this.peers.set(peer.cid, link);
    }
  }

  /** Where a source is asked for blocks. */
  originOf(source: string): URL | undefined {
    return source === SUPERNODE ? this.joined?.blocks : this.peers.get(source)?.origin;
  }

  /** It gave a block. @param pace how long it took, in milliseconds a MiB: blocks are not of one length. */
  gave(source: string, pace: number): void {
    const peer = this.peers.get(source);
    if (peer === undefined) return;
    peer.failures = 0;
    peer.pace = averaged(peer.pace, pace);
  }

  /** Another source brought a block that this one was late with. @param pace how long it has been at it, in milliseconds a MiB. */
  tooSlow(source: string, pace: number): void {
    const peer = this.peers.get(source);
    if (peer === undefined) return;
    peer.failures += 1;
    peer.pace = averaged(peer.pace, pace);
    if (peer.failures >= MAX_FAILURES) this.drop(peer, new LinkFailure('busy', 'it is slower than others'));
  }

  failed(source: string, failure: LinkFailure, block: number): void {
    if (source === SUPERNODE) {
      this.supernodePausedUntil = performance.now() + PAUSE;
      if (failure.kind === 'missing') this.supernodeHas.delete(block);
      return;
    }
    const peer = this.peers.get(source);
    if (peer === undefined) return;
    if (failure.kind === 'outdated') {
      const before = this.outdated.get(source) ?? 0;
      this.outdated.set(source, before + 1);
      this.renew(peer, RENEW_AFTER * 2 ** before);
      return;
    }
    if (failure.kind === 'busy') {
      peer.pausedUntil = performance.now() + PAUSE;
      return;
    }
    peer.lacks(block);
    peer.failures += 1;
    if (failure.kind === 'lying' || peer.failures >= MAX_FAILURES) this.drop(peer, failure);
  }

  /** It gave a block that the origin has otherwise. */
  lied(source: string): void {
    const peer = this.peers.get(source);
    if (peer !== undefined) this.drop(peer, new LinkFailure('lying', 'it gave a block that the origin has otherwise'));
  }

  /**
   * What may be asked now.
   *
   * @param supernode blocks asked of the supernode at a time.
   * @param how whether blocks are taken that no supernode has attested, and which the supernode may be asked for before it has them.
   */
  toPick(
    flights: readonly Flight[],
    now: number,
    supernode: number,
    { unattested, ahead }: { readonly unattested: boolean; readonly ahead: readonly number[] },
  ): PickSource[] {
    const sources: PickSource[] = [];
    if (this.supernodeAlive && now >= this.supernodePausedUntil) {
      sources.push({
        id: SUPERNODE,
        kind: 'supernode',
        has: withBlocks(this.supernodeHas, ahead),
        free: supernode - flights.filter(({ source }) => source === SUPERNODE).length,
      });
    }
    for (const peer of this.peers.values()) if (this.isOutdated(peer)) this.renew(peer);
    const { useful } = this;
    for (const peer of useful) {
      if (now < peer.pausedUntil) continue;
      const { cid: id, pace } = peer;
      const has = unattested ? peer.hasAtAll : peer.has;
      sources.push({ id, kind: 'peer', has, free: this.tools.budget.ofPeer(id, useful.length), pace });
    }
    return sources;
  }

  close(): void {
    for (const peer of this.peers.values()) peer.close();
    this.peers.clear();
    for (const timer of this.renewing.values()) clearTimeout(timer);
    this.renewing.clear();
  }

  /** The peers that answer and have what is fetched here. */
  private get useful(): readonly PeerLink[] {
    return [...this.peers.values()].filter((peer) => peer.alive && !this.isOutdated(peer));
  }

  /** Whether what it has is of another edition than what is fetched here. */
  private isOutdated({ edition }: PeerLink): boolean {
    return edition !== undefined && edition !== (this.known().edition ?? edition);
  }

  /** A file was replaced at its origin, and one of us has yet to hear of it: no fault of the peer. */
  private renew(peer: PeerLink, after = RENEW_AFTER): void {
    const { cid, neighbour } = peer;
    if (this.peers.get(cid) !== peer) return;
    peer.close();
    this.peers.delete(cid);
    this.tools.log.debug({ blob: this.blob, peer: peer.origin.host }, 'a peer has another version of the file');
    const again = (): void => {
      this.renewing.delete(cid);
      this.setNeighbours([neighbour]);
    };
    this.renewing.set(cid, setTimeout(again, after));
  }

  private drop(peer: PeerLink, reason: LinkFailure): void {
    if (this.peers.get(peer.cid) !== peer) return;
    peer.close();
    this.peers.delete(peer.cid);
    this.dropped.add(peer.cid);
    // One that is only slow may be good for others.
    if (reason.kind !== 'busy') this.gone(peer.cid);
    this.tools.log.debug({ blob: this.blob, peer: peer.origin.host, reason: reason.message }, 'a peer was dropped');
    this.changed();
  }
}

function withBlocks(has: BlockSet, more: readonly number[]): BlockSet {
  if (more.length === 0) return has;
  const all = BlockSet.of(more);
  all.addAll(has);
  return all;
}
