import { BlockSet } from '@cdk8s-dragonfly/protocol';
import * as fc from 'fast-check';

import { MAX_HOLDER_FAILURES, MAX_UPLOADS, UPLOAD_LIFETIME } from '../src/classic/classic-holders';
import { ClassicPlacement, MAX_CLIENT_FAILURES } from '../src/classic/classic-placement';
import type { ClassicDecision, ClassicReport } from '../src/classic/classic-placement';

/** More than a word of a set holds. */
const COUNT = 35;
const ALL = BlockSet.of(Array.from({ length: COUNT }, (_, piece) => piece));

interface Told {
  readonly from: string | undefined;
  readonly since: number;
}

/** What a client can know of itself, kept apart from the placement. */
interface Known {
  serves: boolean;
  readonly done: Set<number>;
  readonly disk: Set<number>;
  readonly refused: Set<string>;
  readonly running: Map<number, Told>;
}

/** Keeps its own books of all reports and decisions, and checks each decision against them. */
class Checked {
  readonly placement = new ClassicPlacement();
  readonly known = new Map<string, Known>();
  now = 0;

  tell(report: ClassicReport): void {
    this.placement.tell(report);
    const { cid } = report;
    if (report.type === 'register') {
      const { serves } = report;
      const fresh = { done: new Set<number>(), disk: new Set<number>(), refused: new Set<string>() };
      this.known.set(cid, { serves, ...fresh, running: new Map() });
      return;
    }
    const mine = this.known.get(cid);
    if (mine === undefined) return;
    if (report.type === 'forget') {
      this.known.delete(cid);
      return;
    }
    if (report.type === 'down') {
      mine.serves = false;
      return;
    }
    mine.running.delete(report.piece);
    if (report.type === 'failed') {
      mine.done.delete(report.piece);
      mine.disk.delete(report.piece);
      if (report.from !== undefined && this.known.has(report.from)) mine.refused.add(report.from);
      return;
    }
    mine.done.add(report.piece);
    if (report.type === 'stored') mine.disk.add(report.piece);
  }

  ask(cid: string, held: BlockSet, seed: number): ClassicDecision {
    const decision = this.placement.ask({ cid, held, count: COUNT, now: this.now, seed });
    const mine = this.known.get(cid);
    if (mine === undefined) expect(decision).toEqual({ kind: 'unknown' });
    else this.check(cid, mine, decision, held);
    return decision;
  }

  /** Uploads of a holder that its clients have not reported and that are not too old. */
  uploads(holder: string): number {
    const all = [...this.known.values()].flatMap(({ running }) => [...running.values()]);
    return all.filter(({ from, since }) => from === holder && this.now - since < UPLOAD_LIFETIME).length;
  }

  private check(cid: string, mine: Known, decision: ClassicDecision, held: BlockSet): void {
    const missing = [...held].filter((piece) => !mine.done.has(piece));
    expect(decision.kind).toBe(mine.done.size === COUNT ? 'finish' : missing.length === 0 ? 'wait' : 'fetch');
    // What is running and no longer held is given up.
    for (const piece of mine.running.keys()) if (!held.has(piece)) mine.running.delete(piece);
    if (decision.kind !== 'fetch') return;
    const pieces = decision.pieces.map(({ piece }) => piece);
    const runningBefore = [...mine.running.keys()];
    expect(pieces).toHaveLength(Math.min(4, missing.length));
    expect(new Set(pieces).size).toBe(pieces.length);
    expect(pieces).toEqual(expect.arrayContaining(runningBefore));
    mine.running.clear();
    for (const { piece, from } of decision.pieces) {
      expect(missing).toContain(piece);
      mine.running.set(piece, { from, since: this.now });
      if (from === undefined) continue;
      const holder = this.known.get(from);
      expect(from).not.toBe(cid);
      expect({ serves: holder?.serves, has: holder?.disk.has(piece) }).toEqual({ serves: true, has: true });
      expect(mine.refused.has(from)).toBe(false);
      expect(this.uploads(from)).toBeLessThanOrEqual(MAX_UPLOADS);
    }
  }
}

const cidOf = (number: number): string => `client-${number}`;
const client = fc.nat(11).map(cidOf);
const piece = fc.nat(COUNT - 1);
const report: fc.Arbitrary<ClassicReport> = fc.oneof(
  fc.record({ type: fc.constant('register' as const), cid: client, serves: fc.boolean() }),
  fc.record({ type: fc.constant('arrived' as const), cid: client, piece }),
  fc.record({ type: fc.constant('stored' as const), cid: client, piece }),
  fc.record({ type: fc.constant('failed' as const), cid: client, piece, from: fc.option(client, { nil: undefined }) }),
  fc.record({ type: fc.constant('down' as const), cid: client }),
  fc.record({ type: fc.constant('forget' as const), cid: client }),
);
const question = fc.record({
  ask: client,
  held: fc.oneof(
    fc.constant(ALL),
    fc.uniqueArray(piece).map((pieces) => BlockSet.of(pieces)),
  ),
  passes: fc.oneof({ weight: 9, arbitrary: fc.nat(500) }, { weight: 1, arbitrary: fc.nat(2 * UPLOAD_LIFETIME) }),
  seed: fc.nat(),
});
const steps = fc.array(fc.oneof(report, question), { maxLength: 300 });

/** Clients 0 to 11, all registered; those below `holders` have everything on disk. */
function swarm(holders: number): Checked {
  const checked = new Checked();
  for (let number = 0; number < 12; number += 1) {
    checked.tell({ type: 'register', cid: cidOf(number), serves: true });
    if (number >= holders) continue;
    for (const one of ALL) checked.tell({ type: 'stored', cid: cidOf(number), piece: one });
  }
  return checked;
}

function sourcesOf(decision: ClassicDecision): (string | undefined)[] {
  return decision.kind === 'fetch' ? decision.pieces.map(({ from }) => from) : [];
}

function piecesOf(decision: ClassicDecision): number[] {
  return decision.kind === 'fetch' ? decision.pieces.map(({ piece: one }) => one) : [];
}

describe('placement of pieces for original clients', () => {
  it('whatever is reported, tells only pieces that are missing, from those who have them, within the limits', () => {
    fc.assert(
      fc.property(fc.nat(6), steps, (holders, list) => {
        const checked = swarm(holders);
        for (const step of list) {
          if ('ask' in step) {
            checked.now += step.passes;
            checked.ask(step.ask, step.held, step.seed);
          } else checked.tell(step);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('brings every client to its end, whichever of the others fail', () => {
    const plan = fc.record({
      dead: fc.uniqueArray(fc.nat(11)),
      order: fc.array(fc.nat(11), { minLength: 1, maxLength: 40 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(plan, ({ dead, order, seed }) => {
        const { placement } = swarm(0);
        const failing = new Set(dead.map(cidOf));
        const ended = new Set<string>();
        // Each round gets a client at least one piece, or makes it refuse one more of the others.
        const rounds = 12 * (COUNT + 12);
        for (let round = 0; round < rounds; round += 1) {
          for (const number of [...order, ...Array.from({ length: 12 }, (_, each) => each)]) {
            const cid = cidOf(number);
            const decision = placement.ask({ cid, held: ALL, count: COUNT, now: round, seed: seed + round });
            if (decision.kind === 'finish') ended.add(cid);
            if (decision.kind !== 'fetch') continue;
            const { piece: one, from } = decision.pieces[0]!;
            const failed = from !== undefined && failing.has(from);
            placement.tell(failed ? { type: 'failed', cid, piece: one, from } : { type: 'stored', cid, piece: one });
          }
          if (ended.size === 12) break;
        }
        expect(ended.size).toBe(12);
      }),
      { numRuns: 40 },
    );
  });

  it('decides the same from the same events', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const run = (): ClassicDecision[] => {
          const { placement } = swarm(4);
          return list.flatMap((step) => {
            if ('ask' in step)
              return placement.ask({ cid: step.ask, held: step.held, count: COUNT, now: 0, seed: step.seed });
            placement.tell(step);
            return [];
          });
        };
        expect(run()).toEqual(run());
      }),
      { numRuns: 50 },
    );
  });

  it('knows nobody who has not registered', () => {
    expect(new Checked().ask('stranger', ALL, 1)).toEqual({ kind: 'unknown' });
  });

  it('gives the pieces with the fewest holders first', () => {
    const checked = swarm(0);
    for (const one of [0, 1, 2, 3, 4]) checked.tell({ type: 'stored', cid: cidOf(0), piece: one });
    for (const one of [5, 0]) checked.tell({ type: 'stored', cid: cidOf(1), piece: one });
    expect(
      piecesOf(checked.ask(cidOf(5), BlockSet.of([0, 1, 2, 3, 4, 5, 6, 7, 8]), 7))
        .slice(0, 3)
        .sort(),
    ).toEqual([6, 7, 8]);
    checked.tell({ type: 'register', cid: cidOf(6), serves: true });
    const few = BlockSet.of([0, 1, 2, 3, 4]);
    expect(piecesOf(checked.ask(cidOf(6), few, 7)).sort()).toEqual([1, 2, 3, 4]);
  });

  it('among equals gives those next to the ones that the client fetches', () => {
    const checked = swarm(0);
    expect(piecesOf(checked.ask(cidOf(3), BlockSet.of([6]), 1))).toEqual([6]);
    const [six, ...near] = piecesOf(checked.ask(cidOf(3), ALL, 1));
    expect([six, ...near.slice(0, 2).sort()]).toEqual([6, 5, 7]);
    expect([4, 8]).toContain(near[2]);
  });

  it('repeats what is running, from the same source, and adds none above four', () => {
    const checked = swarm(3);
    const first = checked.ask(cidOf(9), ALL, 1);
    expect(piecesOf(first)).toHaveLength(4);
    expect(checked.ask(cidOf(9), ALL, 2)).toEqual(first);
  });

  it('spreads over the holders, five uploads each, then the supernode gives the rest', () => {
    const checked = swarm(2);
    const sources = [3, 4, 5].flatMap((number) => sourcesOf(checked.ask(cidOf(number), ALL, number)));
    const from = (cid: string | undefined): number => sources.filter((source) => source === cid).length;
    expect([from(cidOf(0)), from(cidOf(1)), from(undefined)]).toEqual([5, 5, 2]);
    checked.now += UPLOAD_LIFETIME;
    expect(sourcesOf(checked.ask(cidOf(6), ALL, 1))).not.toContain(undefined);
  });

  it('asks no more of a holder that failed five times in a row, and forgives it after a success', () => {
    const failTimes = (times: number, between?: (checked: Checked) => void): (string | undefined)[] => {
      const checked = swarm(1);
      for (let number = 1; number <= times; number += 1) {
        const cid = cidOf(number);
        expect(sourcesOf(checked.ask(cid, BlockSet.of([0]), 1))).toEqual([cidOf(0)]);
        checked.tell({ type: 'failed', cid, piece: 0, from: cidOf(0) });
        if (number === 2) between?.(checked);
      }
      return sourcesOf(checked.ask(cidOf(11), BlockSet.of([0]), 1));
    };
    expect(failTimes(MAX_HOLDER_FAILURES - 1)).toEqual([cidOf(0)]);
    expect(failTimes(MAX_HOLDER_FAILURES)).toEqual([undefined]);
    const succeed = (checked: Checked): void => {
      checked.ask(cidOf(10), BlockSet.of([1]), 1);
      checked.tell({ type: 'arrived', cid: cidOf(10), piece: 1 });
    };
    expect(failTimes(MAX_HOLDER_FAILURES, succeed)).toEqual([cidOf(0)]);
  });

  it('does not blame a holder for a piece that it was not to give', () => {
    const checked = swarm(1);
    for (let number = 1; number < 10; number += 1) {
      checked.tell({ type: 'failed', cid: cidOf(number), piece: 0, from: cidOf(0) });
    }
    expect(sourcesOf(checked.ask(cidOf(11), BlockSet.of([0]), 1))).toEqual([cidOf(0)]);
  });

  it('sends a client that failed with more than five others to the supernode', () => {
    const checked = swarm(9);
    for (let number = 0; number < MAX_CLIENT_FAILURES; number += 1) {
      checked.tell({ type: 'failed', cid: cidOf(11), piece: 0, from: cidOf(number) });
      checked.tell({ type: 'failed', cid: cidOf(11), piece: 0, from: cidOf(number) });
    }
    expect(sourcesOf(checked.ask(cidOf(11), BlockSet.of([0]), 1))).not.toContain(undefined);
    checked.tell({ type: 'failed', cid: cidOf(11), piece: 0, from: cidOf(MAX_CLIENT_FAILURES) });
    expect(sourcesOf(checked.ask(cidOf(11), ALL, 1))).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('makes no holder of a client that cannot serve or has left', () => {
    const checked = swarm(2);
    checked.tell({ type: 'register', cid: cidOf(0), serves: false });
    checked.tell({ type: 'stored', cid: cidOf(0), piece: 0 });
    checked.tell({ type: 'down', cid: cidOf(1) });
    checked.tell({ type: 'stored', cid: cidOf(1), piece: 0 });
    checked.tell({ type: 'arrived', cid: cidOf(2), piece: 0 });
    expect(sourcesOf(checked.ask(cidOf(5), BlockSet.of([0]), 1))).toEqual([undefined]);
    checked.tell({ type: 'stored', cid: cidOf(2), piece: 0 });
    checked.tell({ type: 'register', cid: cidOf(5), serves: true });
    expect(sourcesOf(checked.ask(cidOf(5), BlockSet.of([0]), 1))).toEqual([cidOf(2)]);
  });

  it('ends a client only when the number of pieces is known', () => {
    const checked = swarm(1);
    expect(checked.placement.ask({ cid: cidOf(0), held: ALL, count: undefined, now: 0, seed: 1 })).toEqual({
      kind: 'wait',
    });
    expect(checked.ask(cidOf(0), ALL, 1)).toEqual({ kind: 'finish' });
  });
});
