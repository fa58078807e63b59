import type { OriginClient, Throttle } from '@cdk8s-dragonfly/origin';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import type { BlobStore } from '@cdk8s-dragonfly/store';
import type { Dispatcher } from 'undici';

import type { OriginalShares } from '../classic/original-shares';
import type { PieceMemory } from '../classic/piece-memory';
import type { BlockClient } from '../links/block-client';
import type { LinkLog } from '../links/link-log';
import type { NeighbourPatience } from '../links/neighbour-patience';
import type { SteadyClock } from '../links/steady-clock';
import type { StreamTimeouts } from '../links/stream-connection';
import type { SupernodeLinks } from '../links/supernode-links';
import type { Traffic } from '../node/traffic';
import type { FlightBudget } from './flight-budget';

/** What downloads work with, the same for all of a node. */
export interface DownloadTools {
  /** This daemon's name in the swarm. */
  readonly cid: string;
  readonly store: BlobStore;
  readonly supernodes: SupernodeLinks;
  /** What original clients may have from this node. */
  readonly shares: OriginalShares;
  /** For pieces from original supernodes and clients. */
  readonly pieceMemory: PieceMemory;
  /** For blocks. */
  readonly blocks: BlockClient;
  /** For pieces. */
  readonly pieces: Dispatcher;
  /** How long is waited for streams that stay open. */
  readonly streams: StreamTimeouts;
  /** With neighbours on these streams. */
  readonly patience: NeighbourPatience;
  /** Is told of each blob that is here whole and checked. */
  readonly holds: (blob: BlobId) => void;
  readonly origin: Pick<OriginClient, 'open'>;
  /** What blocks from supernodes and neighbours keep to, together; undefined: no limit. */
  readonly limit: Throttle | undefined;
  /** How many blocks are under way at a time. */
  readonly budget: FlightBudget;
  /** Bytes of all downloads of this node. */
  readonly traffic: Traffic;
  readonly timeouts: DownloadTimeouts;
  /** For how long others were silent. */
  readonly clock: SteadyClock;
  readonly policy: DownloadPolicy;
  readonly log: LinkLog;
}

/** What a node's downloads may do. */
export interface DownloadPolicy {
  /** Ask the origin when the swarm cannot help. */
  readonly backToSource: boolean;
  /** Take blocks from neighbours. */
  readonly trade: boolean;
  /** Send what the own disk cannot take straight from the origin to the reader. */
  readonly pastDisk: boolean;
  /**
   * Go on with what an earlier process left of a blob without a digest. It may be of other content: the digest of the whole tells, which the
   * client or the supernode has to know, or else the origin by a strong entity tag.
   */
  readonly resumeTasks: boolean;
}

/** A daemon's: it has many clients, and a name without a digest may mean other content to the next. */
export const DAEMON_POLICY: DownloadPolicy = { backToSource: true, trade: true, pastDisk: true, resumeTasks: false };

/** How long is waited for what, in milliseconds. */
export interface DownloadTimeouts {
  /** A supernode that lives and says that it has more, which does not come. */
  readonly swarmStall: number;
  /** A supernode that is there and silent, before it counts as hung: until then it may be short of CPU. */
  readonly busy: number;
}
