import { BlockSet, MAX_PIECE_SOURCES } from '@cdk8s-dragonfly/protocol';

import { seededRandom } from '../placement/random';
import { ClassicHolders } from './classic-holders';
import type { HolderQuestion } from './classic-holders';

/** A client that counts more failures of other clients than this gets its pieces from the supernode alone. */
export const MAX_CLIENT_FAILURES = 5;

/** What a client reports. Reports of clients that are not known change nothing. */
export type ClassicReport =
  /** It begins, or begins anew: all that was known of its progress is forgotten. */
  | {
      readonly type: 'register';
      readonly cid: string;
      /** Whether it can give pieces to others. */
      readonly serves: boolean;
    }
  /** It has a piece, maybe only in memory. */
  | { readonly type: 'arrived'; readonly cid: string; readonly piece: number }
  /** It has a piece on disk and can give it to others. */
  | { readonly type: 'stored'; readonly cid: string; readonly piece: number }
  /** It did not get a piece, or lost it. */
  | {
      readonly type: 'failed';
      readonly cid: string;
      readonly piece: number;
      /** The client that it should come from; undefined: from the supernode. */
      readonly from: string | undefined;
    }
  /** It gives nothing to others any more. */
  | { readonly type: 'down'; readonly cid: string }
  /** It has not been heard of for long: as if it had never registered. */
  | { readonly type: 'forget'; readonly cid: string };

/** A client asks what to fetch now. */
export interface ClassicQuestion {
  readonly cid: string;
  /** The pieces that the supernode has. */
  readonly held: BlockSet;
  /** How many pieces the file has; undefined while that is unknown. */
  readonly count: number | undefined;
  /** In ms, from any fixed time on. */
  readonly now: number;
  /** Makes the choices, so that the same events give the same decisions. */
  readonly seed: number;
}

/** A piece to fetch and who has it. */
export interface ClassicAssignment {
  readonly piece: number;
  /** The client that gives it; undefined: the supernode. */
  readonly from: string | undefined;
}

/** What a client is to do. */
export type ClassicDecision =
  | { readonly kind: 'unknown' }
  /** It has every piece. */
  | { readonly kind: 'finish' }
  /** There is nothing to fetch now. */
  | { readonly kind: 'wait' }
  /** 1 to 4 pieces, those that it was told before and has not reported among them. */
  | { readonly kind: 'fetch'; readonly pieces: readonly ClassicAssignment[] };

/** What is known of a client: of thousands, and changed at each request, so it is kept in as few objects as can be. */
interface Client {
  serves: boolean;
  /** The pieces that it has. */
  readonly done: BlockSet;
  /** The pieces that it was told to fetch and has not reported: a few. */
  readonly running: number[];
  /** The client that gives each of them; undefined: the supernode. */
  readonly from: (string | undefined)[];
  /** Clients that failed this one; undefined while none has. */
  refused: Set<string> | undefined;
  failures: number;
}

const NOBODY: ReadonlySet<string> = new Set();

/**
 * Which piece each original client fetches next and from whom: the swarm of one file. Pure: no clock, chance or socket.
 * As in Dragonfly 0.x protocol, 6.3 and 9: at most 4 pieces at a time, those with the fewest holders first, then those near the ones
 * that it is fetching; from another client that has it on disk, is not busy and has not failed this client; else from the supernode.
 */
export class ClassicPlacement {
  private readonly clients = new Map<string, Client>();
  private readonly holders = new ClassicHolders();

  /** Takes a report into account. Answers whether it is the first word of a piece that another client gave. */
  tell(report: ClassicReport): boolean {
    if (report.type === 'register') {
      this.register(report.cid, report.serves);
      return false;
    }
    const client = this.clients.get(report.cid);
    if (client === undefined) return false;
    switch (report.type) {
      case 'arrived':
        return this.arrived(report.cid, client, report.piece);
      case 'stored': {
        const given = this.arrived(report.cid, client, report.piece);
        if (client.serves) this.holders.add(report.cid, report.piece);
        return given;
      }
      case 'failed':
        this.failed(client, report);
        return false;
      case 'down':
        this.holders.remove(report.cid);
        client.serves = false;
        return false;
      case 'forget':
        this.releaseAll(report.cid, client);
        this.holders.remove(report.cid);
        this.clients.delete(report.cid);
        return false;
    }
  }

  /** Decides what a client fetches now, and takes note of it. */
  ask(question: ClassicQuestion): ClassicDecision {
    const { cid, held, count } = question;
    const client = this.clients.get(cid);
    if (client === undefined) return { kind: 'unknown' };
    if (count !== undefined && client.done.count >= count) return { kind: 'finish' };

    const random = seededRandom(question.seed);
    const { running, from, refused = NOBODY } = client;
    for (const piece of [...running]) if (!held.has(piece)) this.release(cid, client, piece, 'left');
    const free = MAX_PIECE_SOURCES - running.length;
    const fresh = free > 0 ? mostWanted(client, question, { most: free, holders: this.holders, random }) : [];
    for (const piece of [...running, ...fresh]) this.assign(client, { cid, piece, refused, now: question.now, random });
    if (running.length === 0) return { kind: 'wait' };
    return { kind: 'fetch', pieces: running.map((piece, at) => ({ piece, from: from[at] })) };
  }

  private register(cid: string, serves: boolean): void {
    const before = this.clients.get(cid);
    if (before !== undefined) this.releaseAll(cid, before);
    this.holders.remove(cid);
    this.clients.set(cid, { serves, done: new BlockSet(), running: [], from: [], refused: undefined, failures: 0 });
  }

  /** Answers whether another client gave it. */
  private arrived(cid: string, client: Client, piece: number): boolean {
    const given = giverOf(client, piece) !== undefined;
    // Only other clients' pieces speak for its connection to other clients.
    if (given) client.failures = 0;
    this.release(cid, client, piece, 'arrived');
    client.done.add(piece);
    return given;
  }

  private failed(client: Client, { cid, piece, from }: Extract<ClassicReport, { type: 'failed' }>): void {
    const assigned = giverOf(client, piece);
    // A question that was answered with "wait" comes again with the same report.
    if (from !== undefined && this.clients.has(from) && client.refused?.has(from) !== true) {
      client.refused ??= new Set();
      client.refused.add(from);
      client.failures += 1;
    }
    // A holder answers for what it was to give only.
    this.release(cid, client, piece, from !== undefined && from === assigned ? 'failed' : 'left');
    client.done.delete(piece);
    this.holders.drop(cid, piece);
  }

  private assign(client: Client, question: HolderQuestion): void {
    const { piece, cid } = question;
    const giver = giverOf(client, piece);
    // Most are told again and again what they were told before: nothing new to keep.
    if (client.running.includes(piece) && (giver === undefined || this.holders.mayGive(giver, question))) {
      if (giver !== undefined) this.holders.begin(giver, question);
      return;
    }
    this.release(cid, client, piece, 'left');
    const from = client.failures > MAX_CLIENT_FAILURES ? undefined : this.holders.choose(question);
    if (from !== undefined) this.holders.begin(from, question);
    client.running.push(piece);
    client.from.push(from);
  }

  private release(cid: string, client: Client, piece: number, outcome: 'arrived' | 'failed' | 'left'): void {
    const at = client.running.indexOf(piece);
    if (at < 0) return;
    client.running.splice(at, 1);
    const [from] = client.from.splice(at, 1);
    if (from !== undefined) this.holders.end(from, { cid, piece }, outcome);
  }

  private releaseAll(cid: string, client: Client): void {
    for (const piece of [...client.running]) this.release(cid, client, piece, 'left');
  }
}

/** The client that is to give the piece; undefined: the supernode, or nobody is. */
function giverOf({ running, from }: Client, piece: number): string | undefined {
  return from[running.indexOf(piece)];
}

/** A piece that a client could fetch. */
interface Wanted {
  readonly piece: number;
  readonly holders: number;
  /** From those that it is fetching. */
  readonly distance: number;
  readonly chance: number;
}

/** The pieces that a client could fetch, the most wanted first, and no more than `most`. */
function mostWanted(
  client: Client,
  { held }: ClassicQuestion,
  { most, holders, random }: { most: number; holders: ClassicHolders; random: () => number },
): number[] {
  const { done, running } = client;
  let sum = 0;
  for (const piece of running) sum += piece;
  const mean = running.length === 0 ? undefined : sum / running.length;
  const best: Wanted[] = [];
  for (let place = 0; place * 32 <= held.last; place += 1) {
    // Most words of those that are nearly done are empty.
    for (let left = held.word(place) & ~done.word(place); left !== 0; left &= left - 1) {
      const piece = place * 32 + 31 - Math.clz32(left & -left);
      if (running.includes(piece)) continue;
      const having = holders.count(piece);
      const least = best.length < most ? undefined : best[most - 1];
      // Most are not wanted more than those found before, and cost no more than this.
      if (least !== undefined && having > least.holders) continue;
      const distance = mean === undefined ? 0 : Math.abs(piece - mean);
      const one: Wanted = { piece, holders: having, distance, chance: random() };
      if (least !== undefined && order(one, least) >= 0) continue;
      let at = best.length;
      for (let last = best[at - 1]; last !== undefined && order(one, last) < 0; last = best[at - 1]) at -= 1;
      best.splice(at, 0, one);
      if (best.length > most) best.pop();
    }
  }
  return best.map(({ piece }) => piece);
}

function order(a: Wanted, b: Wanted): number {
  if (a.holders !== b.holders) return a.holders - b.holders;
  return a.distance === b.distance ? a.chance - b.chance : a.distance - b.distance;
}
