import type { Snapshot } from '../files/snapshot';

/** What the plans of docker are made from. */
export interface DockerFacts {
  readonly title: string;
  readonly mirror: string;
  readonly current: Snapshot;
  /** The dockerd to tell; absent when none runs that reads the file. */
  readonly dockerd?: { readonly inForce: readonly string[] };
}
