import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';

import {
  DEFAULT_DOWN_LINK,
  continueAnswer,
  finishAnswer,
  superFailAnswer,
  supernodeCid,
  unknownTaskAnswer,
  waitAnswer,
} from '@cdk8s-dragonfly/protocol';
import type {
  BlockSet,
  ClassicAnswer,
  Neighbour,
  PeerTaskRequest,
  PieceOutcome,
  PieceRange,
  PieceSource,
} from '@cdk8s-dragonfly/protocol';

import type { Address } from '../tasks/advertised';
import type { Task } from '../tasks/task';
import type { ClassicMember } from './classic-member';
import { ClassicPieces } from './classic-pieces';
import { ClassicPlacement } from './classic-placement';
import type { ClassicAssignment } from './classic-placement';
import { ClassicPresence } from './classic-presence';
import { DaemonHolders } from './daemon-holders';
import { downloadPath } from './download-path';
import { FormerPieces } from './former-pieces';

/** What the swarm of a file works with. */
export interface ClassicSwarmTools {
  /** Where clients fetch the supernode's pieces. */
  readonly advertised: Address;
  /** Is told of the bytes that a client has from another. */
  readonly peerServed?: ((bytes: number) => void) | undefined;
  /** Our daemons that trade the same blob. Default: there are none. */
  readonly daemons?: (() => Iterable<Neighbour>) | undefined;
  /** In ms, from any fixed time on. */
  readonly now: () => number;
}

/** A file for which nobody has registered or asked for this long, in ms, is forgotten (Dragonfly 0.x protocol, 6.4). */
export const IDLE_SWARM = 180_000;

/** Clients give up a question after 3 s; pieces whose MD5 takes longer than this, in ms, are offered at the next question. */
const MD5_LIMIT = 1500;

/** The original clients that fetch a blob: what each is told to do (Dragonfly 0.x protocol, 6.3 and 9). */
export class ClassicSwarm {
  private readonly members = new Map<string, ClassicMember>();
  private readonly presence = new ClassicPresence();
  private readonly former = new FormerPieces();
  private placement = new ClassicPlacement();
  private daemons: DaemonHolders;
  private pieces: ClassicPieces | undefined;
  private askedAt: number;
  private readonly unwatch: () => void;

  constructor(
    private readonly task: Task,
    private readonly tools: ClassicSwarmTools,
  ) {
    this.askedAt = tools.now();
    this.daemons = this.daemonHolders();
    this.unwatch = task.watch(() => {
      if (task.state === 'waiting') this.beginAnew();
    });
  }

  /** How many clients are known. */
  get size(): number {
    return this.members.size;
  }

  has(cid: string): boolean {
    return this.members.has(cid);
  }

  /** Whether nobody has wanted the file for long. */
  get isIdle(): boolean {
    return this.tools.now() - this.askedAt >= IDLE_SWARM;
  }

  stop(): void {
    this.unwatch();
    this.daemons.stop();
  }

  /** Forgets the clients that are gone. */
  forgetGone(): void {
    for (const cid of this.presence.gone(this.tools.now())) {
      this.members.delete(cid);
      this.placement.tell({ type: 'forget', cid });
    }
  }

  /** Whether a client has pieces of other bytes than the file has now, and has to get all of it elsewhere. */
  isMixed(cid: string): boolean {
    return this.former.isMixed(cid);
  }

  /** Takes a client in; one that is here already begins anew. */
  register(member: ClassicMember): void {
    const { cid } = member;
    this.members.set(cid, member);
    this.askedAt = this.tools.now();
    this.presence.came(cid, this.askedAt);
    this.placement.tell({ type: 'register', cid, serves: member.port > 0 && isIPv4(member.ip) });
    this.daemons.followMore();
  }

  /** Answers `GET /peer/task`: at once, unless the MD5 of a piece is not known yet. */
  ask(request: PeerTaskRequest): ClassicAnswer | Promise<ClassicAnswer> {
    const member = this.members.get(request.srcCid);
    if (member === undefined) return unknownTaskAnswer();
    this.askedAt = this.tools.now();
    this.presence.heard(member.cid, this.askedAt);
    this.daemons.followMore();
    const { state, failure } = this.task;
    if (state === 'failed') return superFailAnswer(failure?.message ?? 'the origin did not give the file');
    const pieces = this.currentPieces();
    if (pieces === undefined) return waitAnswer();
    // Registered before the length was known: the client begins anew with the right pieces when it registers again.
    if (member.pieceSize !== pieces.pieceSize) return unknownTaskAnswer();

    if (request.kind === 'report') this.take(member.cid, request.outcome, pieces);
    const decision = this.placement.ask({
      cid: member.cid,
      held: pieces.held(),
      count: pieces.count,
      now: this.askedAt,
      seed: randomInt(2 ** 32),
    });
    switch (decision.kind) {
      case 'unknown':
        return unknownTaskAnswer();
      case 'finish':
        return this.finish(member, pieces);
      case 'wait':
        // What has been lost here is on its way again.
        if (state === 'complete') this.task.repair();
        return waitAnswer();
      case 'fetch':
        return this.offer(member, pieces, decision.pieces);
    }
  }

  /** A client has a piece on disk. */
  stored(cid: string, piece: PieceRange): void {
    const member = this.members.get(cid);
    if (member === undefined) return;
    this.presence.heard(cid, this.tools.now());
    const pieces = this.currentPieces();
    if (!this.knows(piece, pieces)) return;
    const { pieceNum } = piece;
    // The name as it was registered is kept; `cid` is a slice of this request's URL, which would be kept with it for each piece.
    const report = { type: 'stored', cid: member.cid, piece: pieceNum } as const;
    if (this.placement.tell(report)) this.countPeer(pieceNum, pieces);
  }

  /** A client gives nothing to others any more. */
  down(cid: string): void {
    const member = this.members.get(cid);
    if (member === undefined) return;
    this.presence.left(member.cid, this.tools.now());
    this.placement.tell({ type: 'down', cid: member.cid });
  }

  /** A client did not get what the supernode should have: what is on disk is looked at again, and fetched anew where it is damaged. */
  async failed(piece: PieceRange | undefined): Promise<void> {
    const pieces = this.currentPieces();
    if (pieces === undefined) return;
    if (piece !== undefined && this.knows(piece, pieces)) await pieces.check(piece.pieceNum);
    this.task.repair();
  }

  /** The origin is asked again and may give other bytes: what clients have is no longer known to be the same. */
  private beginAnew(): void {
    this.former.beginAnew(this.members.keys());
    this.members.clear();
    this.presence.clear();
    this.placement = new ClassicPlacement();
    this.daemons.stop();
    this.daemons = this.daemonHolders();
    this.pieces = undefined;
  }

  /** Daemons give pieces as original clients do that have them on disk. */
  private daemonHolders(): DaemonHolders {
    const { daemons = (): Neighbour[] => [], now } = this.tools;
    return new DaemonHolders({
      blob: this.task.blob,
      members: daemons,
      isOther: (edition) => edition !== (this.task.stored?.edition?.id ?? edition),
      came: (cid) => this.placement.tell({ type: 'register', cid, serves: true }),
      told: (cid, blocks, has) => this.daemonHas(cid, blocks, has),
      gone: (cid) => this.placement.tell({ type: 'forget', cid }),
      now,
    });
  }

  private daemonHas(cid: string, blocks: Iterable<number>, has: BlockSet): void {
    const pieces = this.currentPieces();
    if (pieces === undefined) return;
    const changed = new Set<number>();
    for (const block of blocks) changed.add(pieces.stored.grid.pieceOfBlock(block));
    for (const piece of changed) {
      // What is not here cannot be there: nobody makes us remember more pieces than there are.
      if (pieces.has(piece) && pieces.isIn(has, piece)) this.placement.tell({ type: 'stored', cid, piece });
    }
  }

  private currentPieces(): ClassicPieces | undefined {
    const { state, stored } = this.task;
    if (stored === undefined || (state !== 'fetching' && state !== 'complete')) return undefined;
    if (this.pieces?.stored !== stored) this.pieces = new ClassicPieces(stored);
    return this.pieces;
  }

  private take(cid: string, outcome: PieceOutcome, pieces: ClassicPieces): void {
    if (!this.knows(outcome, pieces)) return;
    const { pieceNum: piece, dstCid } = outcome;
    const from = dstCid === undefined ? undefined : (this.members.get(dstCid)?.cid ?? dstCid);
    // Who gives is there, even when it has nothing more to say.
    if (outcome.arrived && from !== undefined) this.presence.heard(from, this.askedAt);
    const report = outcome.arrived
      ? ({ type: 'arrived', cid, piece } as const)
      : ({ type: 'failed', cid, piece, from } as const);
    if (this.placement.tell(report)) this.countPeer(piece, pieces);
  }

  private countPeer(piece: number, pieces: ClassicPieces | undefined): void {
    if (pieces !== undefined) this.tools.peerServed?.(pieces.framedLengthOf(piece));
  }

  /** Whether there is such a piece, so that clients cannot make us remember others. */
  private knows(piece: PieceRange, pieces: ClassicPieces | undefined): boolean {
    if (pieces?.pieceSize !== piece.pieceSize) return false;
    return pieces.count === undefined ? pieces.has(piece.pieceNum) : piece.pieceNum < pieces.count;
  }

  private finish(member: ClassicMember, { stored, pieceSize }: ClassicPieces): ClassicAnswer {
    // Until the whole is checked it may still turn out to be wrong.
    if (this.task.state !== 'complete' || stored.size === undefined) return waitAnswer();
    return finishAnswer({ length: stored.size, pieceSize, md5: member.md5 });
  }

  private offer(
    member: ClassicMember,
    pieces: ClassicPieces,
    assignments: readonly ClassicAssignment[],
  ): ClassicAnswer | Promise<ClassicAnswer> {
    const isKnown = ({ piece }: ClassicAssignment): boolean => pieces.knownMd5(piece) !== undefined;
    if (assignments.every(isKnown)) return this.offerReady(member, pieces, assignments);
    const unknown = assignments.filter((assignment) => !isKnown(assignment)).map(({ piece }) => piece);
    return computed(pieces, unknown).then(() => this.offerReady(member, pieces, assignments));
  }

  private offerReady(
    member: ClassicMember,
    pieces: ClassicPieces,
    assignments: readonly ClassicAssignment[],
  ): ClassicAnswer {
    const ready: PieceSource[] = [];
    let isSame = true;
    for (const assignment of assignments) {
      const pieceMd5 = pieces.knownMd5(assignment.piece);
      if (pieceMd5 === undefined) continue;
      isSame = this.former.mayHave(member.cid, assignment.piece, pieceMd5) && isSame;
      ready.push(this.source(member, pieces.pieceSize, assignment, pieceMd5));
    }
    if (!isSame) return superFailAnswer('the file has changed at its origin');
    return ready.length === 0 ? waitAnswer() : continueAnswer(ready);
  }

  private source(
    { taskId }: ClassicMember,
    pieceSize: number,
    { piece, from }: ClassicAssignment,
    pieceMd5: string,
  ): PieceSource {
    const holder = from === undefined ? undefined : (this.members.get(from) ?? this.daemons.get(from));
    const { ip, port } = holder ?? this.tools.advertised;
    return {
      pieceNum: piece,
      pieceSize,
      pieceMd5,
      cid: holder?.cid ?? supernodeCid(this.tools.advertised.ip, taskId),
      peerIp: ip,
      peerPort: port,
      path: holder?.path ?? downloadPath(taskId),
      downLink: DEFAULT_DOWN_LINK,
    };
  }
}

/** Waits for the MD5 of these pieces, not longer than a client waits for its answer. */
async function computed(pieces: ClassicPieces, numbers: readonly number[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, MD5_LIMIT);
  });
  // A piece that cannot be read is no longer held, and the next question's answer leaves it out.
  await Promise.race([Promise.allSettled(numbers.map(async (piece) => pieces.md5Of(piece))), late]);
  clearTimeout(timer);
}
