/** Where bytes came from. `local`: they were on this node's disk, whole, when they were asked for. */
export type TrafficSource = 'local' | 'peer' | 'supernode' | 'origin';

/** Bytes by where they came from. */
export type Traffic = Record<TrafficSource, number>;

/** What has not brought a byte yet. */
export function noTraffic(): Traffic {
  return { local: 0, peer: 0, supernode: 0, origin: 0 };
}
