import { UPLOADS_EACH } from '../node/upload-turns';
import { SUPERNODE } from './sources';

/** Blocks that a node has under way at a time from neighbours, all downloads together, and what each may have however many others there are. */
const PEERS = 8;
const PEERS_EACH = 2;

/** The same for blocks from the supernode. They are counted apart: a long queue there must not keep the node from its neighbours. */
const SUPERNODE_ALL = 4;
const SUPERNODE_EACH = 1;

/** A node without neighbours has everything from the supernode. */
const SUPERNODE_ALONE = 8;

/** A download that asks for blocks as far as there is room. */
export interface Asking {
  /** Something has changed: there may be room now. */
  pump(): void;
  /** A neighbour may be asked for one more block than before; nothing else has changed. */
  freed(neighbour: string): void;
}

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
  /** All downloads, also those that have nothing under way. */
  private readonly flights = new Map<Asking, Flights>();
  /** Blocks under way from each neighbour, by its name, all downloads together. */
  private readonly from = new Map<string, number>();
  /** How many downloads have blocks under way. */
  private active = 0;

  /** A download begins. */
  open(download: Asking): void {
    this.flights.set(download, { supernode: 0, peers: 0 });
  }

  /** It has ended. What it still has under way counts for the neighbours until that has ended, too. */
  close(download: Asking): void {
    const flights = this.flights.get(download);
    this.flights.delete(download);
    if (flights === undefined || !isActive(flights)) return;
    this.active -= 1;
    this.pumpOthers(download);
  }

  /**
   * How many blocks a download may have under way from its neighbours. Rounded up: nodes often pull three layers at once, and with six blocks under
   * way instead of nine neighbours have nothing to do now and then while it lacks what they have.
   */
  peers(download: Asking): number {
    return Math.max(PEERS_EACH, Math.ceil(PEERS / this.activeWith(download)));
  }

  /** How many it may have under way from the supernode. @param neighbours how many it has. */
  supernode(download: Asking, neighbours: number): number {
    const all = neighbours === 0 ? SUPERNODE_ALONE : SUPERNODE_ALL;
    return Math.max(SUPERNODE_EACH, Math.floor(all / this.activeWith(download)));
  }

  /**
   * How many more blocks a neighbour may be asked for, by any download. With more at the same few, blocks would wait there for one another
   * while other neighbours have nothing to do.
   *
   * @param peer its name. @param neighbours how many there are.
   */
  ofPeer(peer: string, neighbours: number): number {
    const each = Math.max(1, Math.floor(PEERS / Math.max(1, neighbours)));
    return Math.min(UPLOADS_EACH, each) - (this.from.get(peer) ?? 0);
  }

  /** A block has been asked for. */
  began(download: Asking, source: string): void {
    this.change(download, source, 1);
  }

  /** It came, or did not. The other downloads may use the room first: one that asks for all that neighbours give would leave them nothing. */
  ended(download: Asking, source: string): void {
    const { active } = this;
    this.change(download, source, -1);
    // With one fewer, all have larger parts.
    if (this.active < active) this.pumpOthers(download);
    else if (source !== SUPERNODE) for (const other of this.flights.keys()) if (other !== download) other.freed(source);
    download.pump();
  }

  private pumpOthers(download: Asking): void {
    for (const other of this.flights.keys()) if (other !== download) other.pump();
  }

  /** How many downloads have blocks under way, this one included. */
  private activeWith(download: Asking): number {
    const flights = this.flights.get(download);
    return this.active + (flights !== undefined && isActive(flights) ? 0 : 1);
  }

  private change(download: Asking, source: string, by: 1 | -1): void {
    const flights = this.flights.get(download);
    if (flights !== undefined) {
      const before = isActive(flights);
      flights[source === SUPERNODE ? 'supernode' : 'peers'] += by;
      this.active += Number(isActive(flights)) - Number(before);
    }
    if (source === SUPERNODE) return;
    const from = (this.from.get(source) ?? 0) + by;
    if (from === 0) this.from.delete(source);
    else this.from.set(source, from);
  }
}

function isActive({ supernode, peers }: Flights): boolean {
  return supernode + peers > 0;
}
