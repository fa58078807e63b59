import { FlightBudget } from '../src/download/flight-budget';
import { SUPERNODE } from '../src/download/sources';

describe('the budget of a node', () => {
  it('is all for one download, and is divided among several, with something for each', () => {
    const budget = new FlightBudget();
    const downloads = Array.from({ length: 10 }, () => ({}));
    const [first, second] = downloads;
    if (first === undefined || second === undefined) throw new Error('there are ten');
    expect([budget.peers(first), budget.supernode(first)]).toEqual([8, 4]);
    budget.began(first, 'a neighbour');
    expect([budget.peers(first), budget.peers(second)]).toEqual([8, 4]);
    for (const download of downloads) budget.began(download, SUPERNODE);
    expect([budget.peers(second), budget.supernode(second)]).toEqual([2, 1]);
    for (const download of downloads) budget.ended(download, SUPERNODE);
    expect(budget.peers(second)).toBe(4);
    budget.ended(first, 'a neighbour');
    expect(budget.peers(second)).toBe(8);
  });
});
