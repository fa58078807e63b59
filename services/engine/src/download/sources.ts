import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Neighbour } from '@cdk8s-dragonfly/protocol';

import { LinkFailure } from '../links/failure';
import { PeerLink } from '../links/peer-link';
import type { Flight, PickSource } from '../picker/picker';
import { averaged } from './averaged';
import { PAUSE, SupernodeSource } from './supernode-source';
import type { DownloadTools } from './tools';

/** The supernode's name among the sources; no peer's: those have an address in it. */
export const SUPERNODE = 'supernode';

/** A peer that failed so often in a row is dropped. */
const MAX_FAILURES = 2;

/**
 * A peer that has another edition is heard anew after this time, in milliseconds: it, or this node, goes over to the other's. One that does not say
 * which it has, and gave blocks of another, is heard anew after twice as long each time.
 */
const RENEW_AFTER = 1000;

/** Of a blob of unknown length, peers are not believed to have more blocks than this: 64 GiB. */
const UNKNOWN_END = 65_536;

/** A download, as its sources have to know it. */
export interface Asked {
  /** How many blocks the blob has; undefined while that is not known. */
  end(): number | undefined;
  /** The id of the edition that is fetched, of a blob that is named by its URL. */
  edition(): string | undefined;
  /** There are other neighbours than before, or one has told anew of all that it has. */
  changed(): void;
  /** A neighbour has got more blocks. */
  added(blocks: readonly number[], neighbour: string): void;
  /** A neighbour failed, or gave what it should not. */
  gone(neighbour: string): void;
}

/** Whom a download may ask for blocks: the supernode and the neighbours it named. */
export class Sources {
  readonly supernode = new SupernodeSource();
  private readonly peers = new Map<string, PeerLink>();
  /** The peers that answer and have what is fetched here, and of which edition; undefined: they have to be looked for. */
  private listed: { readonly peers: readonly PeerLink[]; readonly edition: string | undefined } | undefined;
  /** Peers that lied or failed: not linked again in this download. */
  private readonly dropped = new Set<string>();
  /** Peers that have another edition, until they are linked again. */
  private readonly renewing = new Map<string, NodeJS.Timeout>();
  /** How many blocks of another edition came from peers that had not said so. */
  private readonly outdated = new Map<string, number>();

  constructor(
    private readonly blob: BlobId,
    private readonly tools: DownloadTools,
    private readonly download: Asked,
  ) {}

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

  /** What a neighbour that answers has. @param unattested whether a block counts that no supernode has attested. */
  hasOf(neighbour: string, unattested: boolean): BlockSet | undefined {
    const peer = this.peers.get(neighbour);
    if (peer?.alive !== true) return undefined;
    return unattested ? peer.hasAtAll : peer.has;
  }

  /** When time alone may next let more be asked for: a pause of a source has passed, or blocks are overdue; Infinity when none will be. */
  nextOpening(now: number): number {
    let next = this.supernode.nextOpening(now);
    for (const { pausedUntil } of this.useful) if (pausedUntil > now) next = Math.min(next, pausedUntil);
    return next;
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
        timeouts: this.tools.streams,
        patience: this.tools.patience,
        end: () => this.download.end() ?? UNKNOWN_END,
        changed: () => this.changed(),
        added: (blocks) => this.download.added(blocks, cid),
        ended: (reason) => this.drop(link, reason),
      });
      this.peers.set(peer.cid, link);
    }
  }

  /** Where a source is asked for blocks. */
  originOf(source: string): URL | undefined {
    return source === SUPERNODE ? this.supernode.origin : this.peers.get(source)?.origin;
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
      this.supernode.failed(failure, block);
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
    // It tells of each block once: one that it only failed to bring, it still has.
    if (failure.kind === 'missing') peer.lacks(block);
    else peer.pausedUntil = performance.now() + PAUSE;
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
   * @param most blocks asked of the supernode at a time.
   * @param how whether blocks are taken that no supernode has attested, and which the supernode may be asked for before it has them.
   */
  toPick(
    flights: readonly Flight[],
    now: number,
    most: number,
    { unattested, ahead }: { readonly unattested: boolean; readonly ahead: readonly number[] },
  ): PickSource[] {
    const sources: PickSource[] = [];
    if (this.supernode.isOpen(now)) {
      sources.push({
        id: SUPERNODE,
        kind: 'supernode',
        has: withBlocks(this.supernode.has, ahead),
        free: most - flights.filter(({ source }) => source === SUPERNODE).length,
      });
    }
    const { useful } = this;
    if (useful.length < this.peers.size) this.renewOutdated();
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
    this.listed = undefined;
    for (const timer of this.renewing.values()) clearTimeout(timer);
    this.renewing.clear();
  }

  /** The peers that answer and have what is fetched here. */
  private get useful(): readonly PeerLink[] {
    const edition = this.download.edition();
    let { listed } = this;
    if (listed === undefined || listed.edition !== edition) {
      const peers = [...this.peers.values()].filter((peer) => peer.alive && !isOutdated(peer, edition));
      listed = { peers, edition };
      this.listed = listed;
    }
    return listed.peers;
  }

  private changed(): void {
    this.listed = undefined;
    this.download.changed();
  }

  private renewOutdated(): void {
    const edition = this.download.edition();
    for (const peer of this.peers.values()) if (isOutdated(peer, edition)) this.renew(peer);
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
    // There is one neighbour less: without any, the supernode may be asked for more.
    this.changed();
  }

  private drop(peer: PeerLink, reason: LinkFailure): void {
    if (this.peers.get(peer.cid) !== peer) return;
    peer.close();
    this.peers.delete(peer.cid);
    this.dropped.add(peer.cid);
    // One that is only slow may be good for others.
    if (reason.kind !== 'busy') this.download.gone(peer.cid);
    this.tools.log.debug({ blob: this.blob, peer: peer.origin.host, reason: reason.message }, 'a peer was dropped');
    this.changed();
  }
}

/** Whether what a peer has is of another edition than what is fetched here. */
function isOutdated({ edition }: PeerLink, fetched: string | undefined): boolean {
  return edition !== undefined && edition !== (fetched ?? edition);
}

function withBlocks(has: BlockSet, more: readonly number[]): BlockSet {
  if (more.length === 0) return has;
  const all = BlockSet.of(more);
  all.addAll(has);
  return all;
}
