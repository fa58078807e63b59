export { Supernode } from './supernode';
export type { SupernodeOptions } from './supernode';
export type { ReplicaAddress } from './replicas/replica-set';
export { METRICS } from './metrics/table';
