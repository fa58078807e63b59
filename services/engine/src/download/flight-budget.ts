import { SUPERNODE } from './sources';

/** Blocks that a node has under way at a time from neighbours, all downloads together, and what each may have however many others there are. */
const PEERS = 8;
const PEERS_EACH = 2;

/** The same for blocks from the supernode. They are counted apart: a long queue there must not keep the node from its neighbours. */
const SUPERNODE_ALL = 4;
const SUPERNODE_EACH = 1;

/** What one download has under way. */
interface Flights {
  supernode: number;
  peers: number;
}

/**
 * How many blocks a download may have under way. The downloads of a node share one way in: what is asked for too early only waits for
 * others on it, and was chosen before it was known what is rare.
 */
export class FlightBudget {
  private readonly flights = new Map<object, Flights>();

  /** How many blocks a download may have under way from its neighbours. */
  peers(download: object): number {
    return Math.max(PEERS_EACH, Math.floor(PEERS / this.active(download)));
  }

  /** How many it may have under way from the supernode. */
  supernode(download: object): number {
    return Math.max(SUPERNODE_EACH, Math.floor(SUPERNODE_ALL / this.active(download)));
  }

  /** A block has been asked for. */
  began(download: object, source: string): void {
    this.change(download, source, 1);
  }

  /** It came, or did not. */
  ended(download: object, source: string): void {
    this.change(download, source, -1);
  }

  /** How many downloads have blocks under way, this one included. */
  private active(download: object): number {
    return this.flights.size + (this.flights.has(download) ? 0 : 1);
  }

  private change(download: object, source: string, by: 1 | -1): void {
    const flights = this.flights.get(download) ?? { supernode: 0, peers: 0 };
    this.flights.set(download, flights);
    flights[source === SUPERNODE ? 'supernode' : 'peers'] += by;
    if (flights.supernode + flights.peers === 0) this.flights.delete(download);
  }
}
