import { LONGEST_WAIT } from '@cdk8s-dragonfly/engine';

import type { Patience } from './exchange';

/**
 * How long an answer may make no progress. These are the last resort: swarm and origin have shorter limits of their own, each with a flag, but for
 * the turn that a supernode gives to those of a very large herd, which is waited for. A client may be slow for minutes, while its disk is; it holds one block of
 * memory meanwhile.
 */
export const PATIENCE: Patience = { source: LONGEST_WAIT + 30_000, client: 600_000 };

/** What a client may take of a server for runtimes, the mirror's or the proxy's. Times are in milliseconds. */
export const SERVER_LIMITS = {
  /** Registry credentials may have some KiB. */
  maxHeaderSize: 32 * 1024,
  /** The head of a request, from its first byte. */
  headersTimeout: 10_000,
  /** A whole request, its body included if a client sends one: what is pushed goes through the proxy. */
  requestTimeout: 3_600_000,
  /** Between two requests of a connection: longer than the pauses of a pull. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
};
