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
