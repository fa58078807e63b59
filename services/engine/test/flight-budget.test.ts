import { FlightBudget } from '../src/download/flight-budget';
import type { Asking } from '../src/download/flight-budget';
import { SUPERNODE } from '../src/download/sources';

/** A download that only notes what it is told. */
interface Noting extends Asking {
  pumped: number;
  readonly wasFreed: string[];
}

function downloads(budget: FlightBudget, count: number): Noting[] {
  return Array.from({ length: count }, () => {
    const download: Noting = {
      pumped: 0,
      wasFreed: [],
      pump: () => void (download.pumped += 1),
      freed: (neighbour) => void download.wasFreed.push(neighbour),
    };
    budget.open(download);
    return download;
  });
}

describe('the budget of a node', () => {
  it('is all for one download, and is divided among several, with something for each', () => {
    const budget = new FlightBudget();
    const all = downloads(budget, 10);
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new Error('there are ten');
    expect([budget.peers(first), budget.supernode(first, 1)]).toEqual([8, 4]);
    budget.began(first, 'a neighbour');
    expect([budget.peers(first), budget.peers(second)]).toEqual([8, 4]);
    // Who has no neighbours has everything from the supernode.
    expect([budget.supernode(second, 0), budget.supernode(second, 1)]).toEqual([4, 2]);
    for (const download of all) budget.began(download, SUPERNODE);
    expect([budget.peers(second), budget.supernode(second, 1)]).toEqual([2, 1]);
    for (const download of all) budget.ended(download, SUPERNODE);
    expect(budget.peers(second)).toBe(4);
    budget.ended(first, 'a neighbour');
    expect(budget.peers(second)).toBe(8);
  });

  it('is rounded up for three downloads', () => {
    const budget = new FlightBudget();
    const all = downloads(budget, 3);
    for (const download of all) budget.began(download, 'a neighbour');
    expect(all.map((download) => budget.peers(download))).toEqual([3, 3, 3]);
  });

  it('has each neighbour asked for its part, whichever downloads ask, and wakes all when one has ended', () => {
    const budget = new FlightBudget();
    const [one, other] = downloads(budget, 2);
    if (one === undefined || other === undefined) throw new Error('there are two');
    // One neighbour gives no more at a time, however few there are.
    expect([1, 2, 3, 16].map((neighbours) => budget.ofPeer('a', neighbours))).toEqual([4, 4, 2, 1]);
    budget.began(one, 'a');
    expect([budget.ofPeer('a', 3), budget.ofPeer('a', 16), budget.ofPeer('b', 16)]).toEqual([1, 0, 1]);
    budget.ended(one, 'a');
    expect(budget.ofPeer('a', 16)).toBe(1);
    expect([one.pumped, other.pumped]).toEqual([1, 1]);
  });

  it('tells the others which neighbour may be asked once more, and wakes them when there is more for each', () => {
    const budget = new FlightBudget();
    const [one, other] = downloads(budget, 2);
    if (one === undefined || other === undefined) throw new Error('there are two');
    for (const source of ['a', SUPERNODE, 'b', 'c']) budget.began(one, source);
    budget.ended(one, 'a');
    expect([one.pumped, other.pumped, other.wasFreed]).toEqual([1, 0, ['a']]);
    // Each has its own part of what the supernode is asked for.
    budget.ended(one, SUPERNODE);
    expect([one.pumped, other.pumped, other.wasFreed]).toEqual([2, 0, ['a']]);
    budget.ended(one, 'b');
    expect(other.pumped).toBe(0);
    // Nothing of it is under way any more.
    budget.ended(one, 'c');
    expect([one.pumped, other.pumped, other.wasFreed]).toEqual([4, 1, ['a', 'b']]);
  });

  it('wakes the others when a download ends that has blocks under way, and when these end', () => {
    const budget = new FlightBudget();
    const [one, other, idle] = downloads(budget, 3);
    if (one === undefined || other === undefined || idle === undefined) throw new Error('there are three');
    budget.began(one, 'a');
    budget.close(idle);
    expect(other.pumped).toBe(0);
    budget.close(one);
    expect(other.pumped).toBe(1);
    budget.ended(one, 'a');
    expect([other.pumped, other.wasFreed]).toEqual([1, ['a']]);
  });

  it('counts what an ended download has under way for the neighbour alone', () => {
    const budget = new FlightBudget();
    const [one, other] = downloads(budget, 2);
    if (one === undefined || other === undefined) throw new Error('there are two');
    budget.began(one, 'a');
    budget.close(one);
    expect([budget.peers(other), budget.ofPeer('a', 16)]).toEqual([8, 0]);
    budget.ended(one, 'a');
    expect([budget.peers(other), budget.ofPeer('a', 16)]).toEqual([8, 1]);
  });

  it('lets a download that begins have its part, though another has all that neighbours give', () => {
    const budget = new FlightBudget();
    const neighbours = ['a', 'b', 'c', 'd'];
    /** Asks for as many blocks as it may. */
    const greedy = (): Asking & { readonly from: string[] } => {
      const from: string[] = [];
      const pump = (): void => {
        for (const peer of neighbours) {
          while (from.length < budget.peers(download) && budget.ofPeer(peer, neighbours.length) > 0) {
            from.push(peer);
            budget.began(download, peer);
          }
        }
      };
      const download = { from, pump, freed: pump };
      budget.open(download);
      return download;
    };
    const [one, other] = [greedy(), greedy()];
    one.pump();
    other.pump();
    expect([one.from.length, other.from.length]).toEqual([8, 0]);
    for (let block = 0; block < 4; block += 1) {
      const peer = one.from.shift();
      if (peer !== undefined) budget.ended(one, peer);
    }
    expect([one.from.length, other.from.length]).toEqual([4, 4]);
  });
});
