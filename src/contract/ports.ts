/** Ports, of TCP but for the pulse, the same as those of Dragonfly 0.x where it has them. */
export const PORTS = {
  /** The supernode's control API. */
  supernodeApi: 8002,
  /** UDP, always the one next to the API: a thread of the supernode answers there whether its process runs. */
  supernodePulse: 8003,
  /** The supernode's piece and block server. */
  supernodePieces: 8001,
  /** The registry mirror of a df-daemon, on loopback. */
  mirror: 65001,
  /** Where a df-daemon gives blocks to its neighbours. */
  peer: 15001,
  /** `/readyz` and `/livez` of a df-daemon. */
  ops: 65003,
} as const;
