import { randomBytes } from 'node:crypto';

import { CommandError, listen } from '@cdk8s-dragonfly/command';
import type { ListenOptions } from '@cdk8s-dragonfly/command';
import { OriginClient, Throttle, limitedOrigin, originLog } from '@cdk8s-dragonfly/origin';
import type { OriginRules, Outward } from '@cdk8s-dragonfly/origin';
import { provableCid } from '@cdk8s-dragonfly/protocol';
import type { BlobId } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoreInUse } from '@cdk8s-dragonfly/store';
import type { StoreUsage, StoredBlob } from '@cdk8s-dragonfly/store';
import { Agent } from 'undici';

import { OriginalShares } from '../classic/original-shares';
import { PieceMemory } from '../classic/piece-memory';
import { Download } from '../download/download';
import { FlightBudget } from '../download/flight-budget';
import { isOfTaggedEdition } from '../download/on-disk';
import { readBlob } from '../download/reader';
import { DAEMON_POLICY } from '../download/tools';
import type { DownloadPolicy, DownloadTools } from '../download/tools';
import { BlockClient } from '../links/block-client';
import type { LinkLog } from '../links/link-log';
import { NeighbourPatience } from '../links/neighbour-patience';
import type { SupernodeAddress } from '../links/registration';
import { SteadyClock } from '../links/steady-clock';
import { SupernodeLinks } from '../links/supernode-links';
import { BlobUnavailable } from './blob-request';
import type { BlobProvider, BlobRequest, OpenBlob, Outlook } from './blob-request';
import { PeerServer } from './peer-server';
import type { Holdings } from './peer-server';
import { noTraffic } from './traffic';
import type { Traffic } from './traffic';
import { UploadLimit } from './upload-limit';

/** What a node of the swarm is made of. Times are in milliseconds. */
export interface SwarmNodeOptions {
  /** The folder for the store. */
  readonly dataDir: string;
  /** The most that the store may take on disk, in bytes. Default: no limit. */
  readonly diskQuota?: number | undefined;
  /** What must stay free on its file system, in bytes. Default 0. */
  readonly minFree?: number | undefined;
  /** In the order in which they are tried; none: everything comes from the origin. */
  readonly supernodes: readonly SupernodeAddress[];
  /** Where neighbours are served. */
  readonly peers: ListenOptions;
  /** The address that neighbours are told. Default: the local end of the way to the supernode. */
  readonly advertiseIp?: string | undefined;
  /** Where this node stands: neighbours of the same zone are preferred. Default: unknown. */
  readonly zone?: string | undefined;
  /** Whether the supernodes are told of the blobs that are here whole. Default true. */
  readonly announce?: boolean | undefined;
  /** What may be asked when the swarm cannot help. */
  readonly originRules: OriginRules;
  /** Certificates and proxies for origins. Default: none of our own. */
  readonly outward?: Outward | undefined;
  readonly connectTimeout: number;
  readonly peerStallTimeout: number;
  readonly supernodeSilence: number;
  readonly originFirstByteTimeout: number;
  readonly originStallTimeout: number;
  /** What downloads may do. Default: as a daemon's. */
  readonly policy?: DownloadPolicy | undefined;
  /** What all downloads together may take from others, in bytes a second. Default: no limit. */
  readonly downloadRate?: number | undefined;
  /** What neighbours together may take from this node, in bytes a second. Default: no limit. */
  readonly uploadRate?: number | undefined;
  readonly log: LinkLog;
}

/** A supernode that hangs ends itself before so many times of silence have passed: one that is still there is busy, up to then. */
const BUSY_FACTOR = 8;

/** A node of the swarm: gets blobs, and gives them to its neighbours. */
export class SwarmNode implements BlobProvider, Holdings, Outlook {
  /** Bytes since the start, by where they came from. */
  readonly traffic: Traffic;
  private readonly downloads = new Map<BlobId, { download: Download; users: number }>();
  /** Downloads that nobody reads any more, and that still put in order what they have. */
  private readonly closing = new Set<Promise<void>>();
  private readonly tools: DownloadTools;
  private readonly blocks: BlockClient;
  private readonly pieces: Agent;
  private readonly origin: OriginClient;
  private readonly clock = new SteadyClock();

  private constructor(
    private readonly store: BlobStore,
    options: SwarmNodeOptions,
    private readonly peerServer: PeerServer,
    /** Where neighbours are served. */
    readonly peerPort: number,
    traffic: Traffic,
  ) {
    this.traffic = traffic;
    const { connectTimeout, peerStallTimeout, supernodeSilence, originFirstByteTimeout, originStallTimeout, log } =
      options;
    const { policy = DAEMON_POLICY } = options;
    // Random too: daemons of a DaemonSet start in the same millisecond, each as process 1 of its container.
    const random = randomBytes(4).toString('hex');
    const key = randomBytes(32).toString('base64url');
    const name = `${options.advertiseIp ?? 'node'}-${process.pid}-${(Date.now() / 1000).toFixed(3)}-${random}`;
    const cid = provableCid(name, key);
    const stall = { headersTimeout: peerStallTimeout, bodyTimeout: peerStallTimeout };
    this.pieces = new Agent({ connect: { timeout: connectTimeout }, connections: 16, ...stall });
    this.blocks = new BlockClient({ connect: connectTimeout, stall: peerStallTimeout }, store.buffers);
    this.origin = new OriginClient({
      rules: options.originRules,
      firstByteTimeout: originFirstByteTimeout,
      stallTimeout: originStallTimeout,
      outward: options.outward,
      log: originLog(log),
      memory: store.buffers,
    });
    const limit = throttleOf(options.downloadRate);
    this.tools = {
      cid,
      store,
      supernodes: new SupernodeLinks(options.supernodes, {
        identity: { cid, key, ip: options.advertiseIp, port: peerPort, serves: policy.trade, zone: options.zone },
        connectTimeout,
        silence: supernodeSilence,
        busy: BUSY_FACTOR * supernodeSilence,
        clock: this.clock,
        holdings: () => store.finished(),
        log,
      }),
      shares: new OriginalShares(),
      pieceMemory: new PieceMemory(),
      blocks: this.blocks,
      pieces: this.pieces,
      streams: { connect: connectTimeout, answer: peerStallTimeout },
      patience: new NeighbourPatience(peerStallTimeout),
      origin: limit === undefined ? this.origin : limitedOrigin(this.origin, limit),
      limit,
      budget: new FlightBudget(),
      holds: (blob) => (options.announce === false ? undefined : this.tools.supernodes.holds(blob)),
      traffic: this.traffic,
      timeouts: {
        swarmStall: originFirstByteTimeout + originStallTimeout,
        busy: BUSY_FACTOR * supernodeSilence,
      },
      clock: this.clock,
      policy,
      log,
    };
  }

  /** @throws CommandError when the peer port cannot be had or another process has the data folder; Error when it cannot be used. */
  static async start(options: SwarmNodeOptions): Promise<SwarmNode> {
    const { dataDir, diskQuota, minFree, log } = options;
    const store = await BlobStore.open(dataDir, { quota: diskQuota, minFree, log }).catch((error: unknown) => {
      throw error instanceof StoreInUse ? new CommandError(error.message, 1, { cause: error }) : error;
    });
    const late: { node?: SwarmNode } = {};
    const holdings: Holdings = {
      hold: async (blob, signal) => late.node?.hold(blob, signal),
      isProven: (stored, block) => late.node?.isProven(stored, block) ?? false,
    };
    // Everyone who reaches the port is served: who may have a private blob is decided at the mirror.
    const { uploadRate, policy: { trade } = DAEMON_POLICY } = options;
    const traffic = noTraffic();
    const limit = uploadRate === undefined ? undefined : new UploadLimit(uploadRate);
    const server = new PeerServer(holdings, () => trade, options.log, limit, traffic);
    const bound = await listen(server.server, options.peers, 'the peer server').catch(async (error: unknown) => {
      await store.stop();
      throw error;
    });
    const node = new SwarmNode(store, options, server, bound.port, traffic);
    late.node = node;
    if (options.announce !== false && store.finished().length > 0) node.tools.supernodes.announce();
    return node;
  }

  /** What the store holds. */
  get usage(): StoreUsage {
    return this.store.usage;
  }

  async open(request: BlobRequest, signal: AbortSignal): Promise<OpenBlob> {
    const entry = this.obtain(request);
    entry.users += 1;
    const { download } = entry;
    const release = this.once(() => {
      entry.users -= 1;
      // Until it has put all in order, whoever comes finds it: a second one would register and hash all anew, beside it.
      void download.ended().then(() => this.tidy(request.blob, entry));
    });
    try {
      while (download.failure === undefined && !download.settled) await download.bell.next(signal);
      if (download.failure !== undefined && !download.goesPastDisk) throw download.failure;
    } catch (error) {
      release();
      throw error;
    }
    const local = download.verified ? this.traffic : undefined;
    return {
      size: download.size,
      get resumed() {
        return download.resumed;
      },
      traffic: download.verified ? { ...noTraffic(), local: download.size ?? 0 } : download.traffic,
      read: (range, reading, passing) => readBlob(download, { ...range, passing }, reading, local),
      release,
    };
  }

  /** Removes the blob from disk, when nobody reads it. */
  async remove(blob: BlobId): Promise<void> {
    this.downloads.delete(blob);
    await this.store.remove(blob);
  }

  /** How many bytes of the blob are on disk. */
  async heldBytes(blob: BlobId): Promise<number> {
    const stored = await this.store.find(blob);
    if (stored === undefined) return 0;
    const bytes = stored.heldBytes;
    await stored.release();
    return bytes;
  }

  /** Whether a part of the blob is on disk of which the origin can tell by its entity tag whether it is of what it has then. */
  async isTagged(blob: BlobId): Promise<boolean> {
    const stored = await this.store.find(blob);
    if (stored === undefined) return false;
    const isTagged = isOfTaggedEdition(stored);
    await stored.release();
    return isTagged;
  }

  /**
   * Gives the data of a blob that was read to its end a further name.
   *
   * @param path must not exist. On another file system, or one without such names, the data is copied.
   * @throws Error with the system's `code`; BlobUnavailable when the blob is not here as a whole.
   */
  async giveName(blob: BlobId, path: string): Promise<void> {
    const stored = await this.store.find(blob);
    try {
      if (stored?.whole !== true) throw new BlobUnavailable('unstorable', `${blob} is not whole on this disk`);
      // Its last reader may have been faster than the disk.
      await stored.finish();
      await stored.nameData(path);
    } finally {
      await stored?.release();
    }
  }

  async isWithinReach(request: BlobRequest, signal: AbortSignal): Promise<boolean> {
    const entry = this.obtain(request);
    entry.users += 1;
    const { download } = entry;
    try {
      while (download.failure === undefined && !download.isWithinReach) await download.bell.next(signal);
      return download.failure === undefined;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      entry.users -= 1;
      void download.ended().then(() => this.tidy(request.blob, entry));
    }
  }

  async hold(blob: BlobId, signal: AbortSignal): Promise<StoredBlob | undefined> {
    const download = this.downloads.get(blob)?.download;
    while (download !== undefined && download.stored === undefined && !download.finished)
      await download.bell.next(signal);
    return this.store.find(blob);
  }

  isProven(stored: StoredBlob, block: number): boolean {
    return this.tools.shares.isProven(stored, block);
  }

  async stop(): Promise<void> {
    const running = [...this.downloads.values()];
    for (const { download } of running) download.stop();
    await Promise.all([...running.map(({ download }) => download.ended()), ...this.closing]);
    await this.peerServer.stop();
    await this.tools.shares.stop();
    await this.tools.supernodes.stop();
    await Promise.all(running.map(({ download }) => download.close()));
    this.downloads.clear();
    this.blocks.stop();
    this.clock.stop();
    await this.pieces.destroy();
    await this.origin.stop();
    await this.store.stop();
  }

  /** The download that is running or has succeeded, else a new one. */
  private obtain(request: BlobRequest): { download: Download; users: number } {
    const known = this.downloads.get(request.blob);
    if (known !== undefined && known.download.failure === undefined) {
      known.download.renew(request);
      return known;
    }
    const entry = { download: new Download(request, this.tools, known?.download.ended()), users: 0 };
    this.downloads.set(request.blob, entry);
    void entry.download.ended().then(() => this.tidy(request.blob, entry));
    return entry;
  }

  /** Forgets a download that has ended and that nobody reads. */
  private tidy(blob: BlobId, entry: { readonly download: Download; readonly users: number }): void {
    const { download, users } = entry;
    if (users > 0 || !download.finished) return;
    if (this.downloads.get(blob) === entry) this.downloads.delete(blob);
    const closing = download
      .close()
      .catch((error: unknown) => this.tools.log.warn({ blob, err: error }, 'not closed'))
      .finally(() => this.closing.delete(closing));
    this.closing.add(closing);
  }

  private once(action: () => void): () => void {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      action();
    };
  }
}

/** One block may come at once: else even the first bytes would wait. */
const BURST = 1024 * 1024;

function throttleOf(rate: number | undefined): Throttle | undefined {
  return rate === undefined ? undefined : new Throttle(rate, Math.min(rate, BURST));
}
