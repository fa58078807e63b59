/** Something that happens once in the middle of the pulls. */
export type Incident =
  /** The origin stands still for so many ms. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** To the supernode that owns the blob. */
  | { readonly kind: 'signal'; readonly signal: 'SIGKILL' | 'SIGSTOP' }
  /** All supernodes are stopped and started anew, one after the other. */
  | { readonly kind: 'update' };

/** N nodes pull one blob at once. */
export interface Case {
  readonly name: string;
  readonly nodes: number;
  readonly replicas: number;
  /** Bytes a second that each node takes at most, as a flag's value. Default: no limit. */
  readonly nodeRate?: string;
  readonly incident?: Incident;
  /** Copies that may leave the origin: exactly one when this is 1. */
  readonly copies: number;
  /** How long a reader may be without a byte after the incident, in ms. Default: as long as it takes. */
  readonly gap?: number;
}

const limited = [1, 2, 3].flatMap((replicas) =>
  [1, 4, 16].map((nodes): Case => ({ name: 'limited', nodes, replicas, nodeRate: '12M', copies: 1 })),
);

const stalled = [1, 2].map((replicas): Case => {
  const incident = { kind: 'stall', ms: 20_000 } as const;
  return { name: 'stall', nodes: 4, replicas, incident, copies: 1 };
});

const killed = [1, 2].flatMap((replicas) =>
  [3, 8].map((nodes): Case => {
    const incident = { kind: 'signal', signal: 'SIGKILL' } as const;
    return { name: 'kill', nodes, replicas, incident, copies: 2, gap: 2000 };
  }),
);

const stopped = [1, 2].flatMap((replicas) =>
  [3, 8].map((nodes): Case => {
    const incident = { kind: 'signal', signal: 'SIGSTOP' } as const;
    return { name: 'hang', nodes, replicas, incident, copies: 2, gap: 2000 };
  }),
);

const updated: Case = { name: 'update', nodes: 6, replicas: 3, incident: { kind: 'update' }, copies: 2, gap: 2000 };

/** All of them. */
export const CASES: readonly Case[] = [...limited, ...stalled, ...killed, ...stopped, updated];
