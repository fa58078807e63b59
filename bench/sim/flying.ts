import type { EventQueue } from './event-queue';
import type { Host } from './links';
import type { Flight } from './sim-node';

/** Blocks that are asked for or are on their way, by places that are used again: events have room for a number only. */
export class Flying {
  private readonly flights: (Flight | undefined)[] = [];
  private readonly places: number[] = [];

  constructor(private readonly queue: EventQueue) {}

  /** Something happens to a flight at a time; {@link landed} finds it then. */
  until(time: number, kind: number, flight: Flight): void {
    const place = this.places.pop() ?? this.flights.length;
    this.flights[place] = flight;
    this.queue.push(time, kind, place);
  }

  /** The flight whose event it is; undefined when it was cancelled. */
  landed(place: number): Flight | undefined {
    const flight = this.flights[place];
    this.flights[place] = undefined;
    this.places.push(place);
    return flight?.cancelled === true ? undefined : flight;
  }

  /** Those that come from a host. */
  from(host: Host): Flight[] {
    return this.flights.filter(
      (flight): flight is Flight => flight !== undefined && flight.host === host && !flight.cancelled,
    );
  }
}
