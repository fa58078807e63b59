export { BlobUnavailable } from './node/blob-request';
export type { BlobProvider, BlobRequest, OpenBlob, UnavailableReason } from './node/blob-request';
export { SwarmNode } from './node/swarm-node';
export type { SwarmNodeOptions } from './node/swarm-node';
export type { Traffic, TrafficSource } from './node/traffic';
