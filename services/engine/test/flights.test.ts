import { Flights } from '../src/download/flights';
import type { ActiveFlight } from '../src/download/flights';

describe('how long blocks take', () => {
  let flights: Flights;
  let now: number;
  beforeEach(() => {
    flights = new Flights();
    now = performance.now();
  });

  function begun(kind: ActiveFlight['kind'], ago: number, isAhead = false): ActiveFlight {
    const flight = { block: 0, source: kind, kind, since: now - ago, isAhead, abort: new AbortController() };
    flights.begin(flight);
    return flight;
  }

  function arrive(flight: ActiveFlight): void {
    flights.arrived(flight);
    flights.end(flight);
  }

  it('is not known while none has come', () => {
    begun('supernode', 100);
    expect(flights.pace(now)).toBe(Infinity);
  });

  it('is of the supernode as long as it has been asked, whatever neighbours brought meanwhile', () => {
    begun('supernode', 60_000);
    begun('supernode', 30_000);
    arrive(begun('peer', 5));
    expect(flights.pace(now)).toBe(60_000);
  });

  it('does not count what the supernode has yet to get, neighbours, and what the limit of the rate holds back', () => {
    arrive(begun('peer', 5));
    begun('supernode', 60_000, true);
    begun('peer', 60_000);
    begun('supernode', -Infinity);
    expect(flights.pace(now)).toBeGreaterThanOrEqual(5);
    expect(flights.pace(now)).toBeLessThan(30_000);
  });
});

describe('a block', () => {
  it('is coming as long as one who was asked for it is not late, and the next to be late is told', () => {
    const flights = new Flights();
    const now = performance.now();
    const begin = (block: number, since: number): void =>
      flights.begin({ block, source: 'a', kind: 'peer', since, isAhead: false, abort: new AbortController() });
    begin(1, now - 5000);
    begin(2, now - 5000);
    expect(flights.nextLate(now)).toBe(Infinity);
    begin(2, now - 100);
    begin(3, now + 20);
    // The limit of the rate holds it back.
    begin(4, Infinity);
    expect([0, 1, 2, 3, 4].map((block) => flights.stateOf(block))).toEqual([
      ...['none', 'late'],
      ...['coming', 'coming', 'coming'],
    ]);
    expect(flights.nextLate(now)).toBe(now - 100 + 1000);
  });
});
