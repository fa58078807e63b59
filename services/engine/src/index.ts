export { BlobUnavailable } from './node/blob-request';
export type { BlobProvider, BlobRequest, OpenBlob, UnavailableReason } from './node/blob-request';
export { DAEMON_POLICY } from './download/tools';
export type { DownloadPolicy } from './download/tools';
export { SwarmNode } from './node/swarm-node';
export type { SwarmNodeOptions } from './node/swarm-node';
export type { Traffic, TrafficSource } from './node/traffic';
