import type { Duration } from 'cdk8s';

/** How long a daemon waits for a registry. */
export interface OriginTimeouts {
  /**
   * From the request to the head of its answer: 100 ms to 5 minutes.
   *
   * @default Duration.seconds(15)
   */
  readonly originFirstByte?: Duration;
  /**
   * In the middle of a body, without a byte: 100 ms to 5 minutes.
   *
   * @default Duration.seconds(10)
   */
  readonly originStall?: Duration;
}

/** How long a df-daemon waits, for a registry and for the swarm. */
export interface DfDaemonTimeouts extends OriginTimeouts {
  /**
   * For a connection to a neighbour or a supernode: 50 ms to 1 minute.
   *
   * @default Duration.seconds(1)
   */
  readonly connect?: Duration;
  /**
   * For a byte of a neighbour or a supernode, before another is asked: 100 ms to 1 minute.
   *
   * @default Duration.seconds(2)
   */
  readonly peerStall?: Duration;
  /**
   * For a word of the supernode, before the registry is asked: 100 ms to 1 minute.
   *
   * @default Duration.seconds(1)
   */
  readonly supernodeSilence?: Duration;
}
