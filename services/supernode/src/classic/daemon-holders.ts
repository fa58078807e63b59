import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';

import { BlockSet, haveLine, havePath, peerFilePath, readLines } from '@cdk8s-dragonfly/protocol';
import type { BlobId, HaveEvent, Neighbour } from '@cdk8s-dragonfly/protocol';

/** So many daemons give pieces of one blob to original clients; each of them to a few at a time. */
const MAX_DAEMON_HOLDERS = 32;

/** A daemon that tells nothing for this long, in ms, is gone; it pings more often. */
const SILENCE = 5000;

/** A daemon that could not be heard is not tried again for this long, in ms. */
const RETRY_AFTER = 30_000;

/** The name under which the supernode asks daemons what they have. */
const ASKING = 'supernode';

/** What the following of daemons works with. */
export interface DaemonHoldersOptions {
  readonly blob: BlobId;
  /** The blob's swarm. Those who joined it first, and have most, come first. */
  readonly members: () => Iterable<Neighbour>;
  /** Whether this id is of another edition of the blob than the one that is given here. */
  readonly isOther: (edition: string) => boolean;
  /** A daemon begins to be followed. */
  readonly came: (cid: string) => void;
  /** A daemon has told that it has these too; all that it has are given along. */
  readonly told: (cid: string, blocks: Iterable<number>, has: BlockSet) => void;
  /** A daemon gives nothing any more. */
  readonly gone: (cid: string) => void;
  /** In ms, from any fixed time on. */
  readonly now: () => number;
}

/** A daemon of ours as a holder for original clients. */
export interface DaemonHolder {
  readonly cid: string;
  readonly ip: string;
  readonly port: number;
  /** The file on its peer server. */
  readonly path: string;
}

/**
 * Daemons that have what original clients want: they tell over the stream with which they tell their neighbours. Their number is bounded, so
 * that what original clients need costs the supernode little however large the swarm is.
 */
export class DaemonHolders {
  private readonly followed = new Map<string, { readonly holder: DaemonHolder; readonly end: AbortController }>();
  private readonly failedAt = new Map<string, number>();

  constructor(private readonly options: DaemonHoldersOptions) {}

  get(cid: string): DaemonHolder | undefined {
    return this.followed.get(cid)?.holder;
  }

  /** Follows more daemons, as far as there are any and it follows too few. */
  followMore(): void {
    const { members, now } = this.options;
    if (this.followed.size >= MAX_DAEMON_HOLDERS) return;
    for (const [cid, at] of this.failedAt) if (now() - at >= RETRY_AFTER) this.failedAt.delete(cid);
    for (const member of members()) {
      if (this.followed.size >= MAX_DAEMON_HOLDERS || this.failedAt.size >= MAX_DAEMON_HOLDERS) return;
      // Original clients know IPv4 only.
      if (this.followed.has(member.cid) || this.failedAt.has(member.cid) || !isIPv4(member.ip)) continue;
      this.follow(member);
    }
  }

  stop(): void {
    for (const { end } of this.followed.values()) end.abort();
    this.followed.clear();
  }

  private follow({ cid, ip, port }: Neighbour): void {
    const holder: DaemonHolder = { cid, ip, port, path: peerFilePath(this.options.blob) };
    const end = new AbortController();
    this.followed.set(cid, { holder, end });
    this.options.came(cid);
    // Whatever the reason, it gives nothing more; other holders do.
    const ended = (): void => {
      if (end.signal.aborted) return;
      this.followed.delete(cid);
      this.failedAt.set(cid, this.options.now());
      this.options.gone(cid);
    };
    this.listen(holder, end.signal).then(ended, ended);
  }

  private async listen(holder: DaemonHolder, signal: AbortSignal): Promise<void> {
    const { blob, isOther, told } = this.options;
    const { cid, ip: host, port } = holder;
    const has = new BlockSet();
    const outgoing = request({ host, port, path: havePath(blob, ASKING), agent: false, timeout: SILENCE, signal });
    outgoing.once('timeout', () => outgoing.destroy(new Error('the daemon is silent')));
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    try {
      if (answer.statusCode !== 200) return;
      for await (const event of readLines<HaveEvent>(answer, haveLine)) {
        if (event.type === 'ping') continue;
        if (event.type === 'have' && event.edition !== undefined && isOther(event.edition)) return;
        if (event.type === 'have') has.addAll(event.blocks);
        else for (const block of event.blocks) has.add(block);
        told(cid, event.blocks, has);
      }
    } finally {
      answer.destroy();
    }
  }
}
