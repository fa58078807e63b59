/** What a client may take of a server. Times are in milliseconds. */
export interface FrontLimits {
  /** The largest request body in bytes: a registration with long tokens fits. */
  readonly bodyBytes: number;
  /** The largest request head in bytes. */
  readonly headerBytes: number;
  /** How many connections are served. Those beyond get an answer that says so, up to {@link spareConnections} of them. */
  readonly connections: number;
  /** How many connections beyond {@link connections} are answered; the rest is closed at once. */
  readonly spareConnections: number;
  /** How long a request may take to come in, from the opening of its connection or its first byte. */
  readonly requestTimeout: number;
  /**
   * How long no byte may pass on a connection: until the next request, or while a client takes nothing of its answer. Original clients want
   * 15 s at least between requests (Dragonfly 0.x protocol, 9).
   */
  readonly idle: number;
  /** How long running answers may take when the supernode stops. */
  readonly stop: number;
}

/** Room for 10,000 daemons with two connections each. */
export const API_LIMITS: FrontLimits = {
  bodyBytes: 256 * 1024,
  headerBytes: 16 * 1024,
  connections: 20_000,
  spareConnections: 1000,
  requestTimeout: 10_000,
  idle: 60_000,
  stop: 10_000,
};

/** As {@link API_LIMITS}; requests for blocks have no body. */
export const BLOCK_LIMITS: FrontLimits = { ...API_LIMITS, bodyBytes: 0, connections: 10_000 };

/** How often connections are looked through for those whose time is up: late by at most this. */
export function checkEvery({ requestTimeout }: FrontLimits): number {
  return Math.min(1000, Math.ceil(requestTimeout / 4));
}
