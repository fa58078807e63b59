import { Patience } from './patience';
import type { Steps } from './steps';

/** Patience that somebody has. */
export interface Waiting {
  /** Something was heard: it begins anew. */
  renew(): void;
  /** It is not needed any more. */
  end(): void;
}

interface Shared {
  readonly patience: Patience;
  readonly streams: Set<() => void>;
}

/**
 * Patience with neighbours: one for all streams that a neighbour has open to us, of which any line shows that it lives. A node that pulls
 * ten layers among 16 neighbours has 160 streams, and would hear 320 pings a second if each had to show it. All of them pass in the steps of one timer:
 * with one for each neighbour, such a node would wake up 128 times a second for nothing.
 */
export class NeighbourPatience {
  private readonly neighbours = new Map<string, Shared>();
  private readonly steps: Steps;

  /** @param silence how long a neighbour may be silent, in milliseconds. */
  constructor(readonly silence: number) {
    this.steps = Patience.stepsOf(silence);
  }

  /** @param lost called once, when the neighbour was silent for too long. */
  with(neighbour: string, lost: () => void): Waiting {
    const shared = this.neighbours.get(neighbour) ?? this.begin(neighbour);
    shared.streams.add(lost);
    return {
      renew: () => shared.patience.renew(),
      end: () => {
        shared.streams.delete(lost);
        if (shared.streams.size === 0) this.end(neighbour, shared);
      },
    };
  }

  private begin(neighbour: string): Shared {
    const streams = new Set<() => void>();
    const lost = (): void => {
      this.end(neighbour, shared);
      // Whoever was ended by one before it is not called.
      for (const stream of streams) stream();
    };
    const patience = new Patience(this.silence, lost, this.steps);
    const shared: Shared = { patience, streams };
    this.neighbours.set(neighbour, shared);
    return shared;
  }

  private end(neighbour: string, shared: Shared): void {
    shared.patience.end();
    if (this.neighbours.get(neighbour) === shared) this.neighbours.delete(neighbour);
  }
}
