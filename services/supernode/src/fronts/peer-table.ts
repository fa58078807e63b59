/** What a peer says of itself. */
export interface PeerFacts {
  readonly IP: string;
  readonly hostName: string;
  readonly port: number;
  readonly version: string;
}

/** A peer as `GET /peers` shows it (Dragonfly 0.x protocol, 2.8). */
export interface PeerDocument extends PeerFacts {
  readonly ID: string;
  /** RFC 3339. */
  readonly created: string;
}

/** The longest name of a host (RFC 1035, 2.3.4), and more than any version has. Registrations may have longer ones, and there are many. */
export const LONGEST_HOST_NAME = 253;
export const LONGEST_VERSION = 64;

/** So many peers are remembered; the ones that were heard of longest ago are forgotten first. */
const MOST = 10_000;

/** The peers that registered, or were entered by hand. In memory only: nothing depends on it but who asks for it. */
export class PeerTable {
  /** By what tells peers apart, the one heard of longest ago first. */
  private readonly byName = new Map<string, PeerDocument>();
  private readonly byId = new Map<string, PeerDocument>();
  private lastNanoseconds = 0n;

  /** @param most how many are remembered */
  constructor(private readonly most = MOST) {}

  get size(): number {
    return this.byId.size;
  }

  /** Takes a peer in; one that is here keeps its ID. */
  add(said: PeerFacts): PeerDocument {
    const [hostName, version] = [shortened(said.hostName, LONGEST_HOST_NAME), shortened(said.version, LONGEST_VERSION)];
    const facts = { ...said, hostName, version };
    const name = JSON.stringify([facts.hostName, facts.IP, facts.port]);
    const before = this.byName.get(name);
    const created = before ?? { ID: this.idFor(facts), created: new Date().toISOString() };
    const peer: PeerDocument = { ...facts, ID: created.ID, created: created.created };
    this.byName.delete(name);
    this.byName.set(name, peer);
    this.byId.set(peer.ID, peer);
    if (this.byName.size > this.most) {
      const [oldest] = this.byName;
      if (oldest !== undefined) this.remove(oldest[1].ID);
    }
    return peer;
  }

  find(id: string): PeerDocument | undefined {
    return this.byId.get(id);
  }

  /** Answers false when there is none. */
  remove(id: string): boolean {
    const peer = this.byId.get(id);
    if (peer === undefined) return false;
    this.byName.delete(JSON.stringify([peer.hostName, peer.IP, peer.port]));
    return this.byId.delete(id);
  }

  all(): PeerDocument[] {
    return [...this.byName.values()];
  }

  /** `<hostName>-<IP>-<unix nanoseconds>`, never the same twice. */
  private idFor({ hostName, IP }: PeerFacts): string {
    const now = BigInt(Date.now()) * 1_000_000n;
    this.lastNanoseconds = now > this.lastNanoseconds ? now : this.lastNanoseconds + 1n;
    return `${hostName}-${IP}-${this.lastNanoseconds}`;
  }
}

/** The begin of a text, in memory of its own: a slice would keep all of a long text that a client sent. */
function shortened(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most)).toString();
}
