import type { EditRecord } from '../files/record';
import type { Snapshot } from '../files/snapshot';
import type { DockerState, DockerWish, Ours } from './docker-state';
import { INSECURE } from './list-edits';
import { recordedProxies } from './additions';

/** What the plans of docker are made from. */
export interface DockerFacts {
  readonly title: string;
  /** Of dockerd; `''`: none runs. */
  readonly version: string;
  readonly wish: DockerWish;
  readonly current: Snapshot;
  /** The dockerd to tell; absent when none runs that reads the file. */
  readonly dockerd?: { readonly inForce: DockerState };
  readonly ours: Ours;
}

/** What is node-mirror's, by what is wanted and by what a record tells. */
export function oursOf({ mirror, insecure, proxy }: DockerWish, record: EditRecord | undefined): Ours {
  return {
    mirrors: [...(record?.added ?? []), mirror],
    insecure: [...(record?.more?.[INSECURE.key]?.added ?? []), ...insecure],
    proxies: [...recordedProxies(record).map(({ proxy: url }) => url), ...(proxy === undefined ? [] : [proxy])],
  };
}
