export type { Descriptor, MemoryBlob, StoredBlob } from './registry/descriptor';
export type { EmbeddedRegistryOptions } from './registry/embedded-registry';
export { EmbeddedRegistry } from './registry/embedded-registry';
export type { GeneratedImage, GenerateImageOptions } from './registry/generated-image';
export { generateImage } from './registry/generated-image';
export type { BlobTraffic, RegistryRequest, RegistryTraffic } from './registry/traffic';
export { PullError } from './puller/pull-error';
export type { PulledImage, PullOptions } from './puller/pull-image';
export { pullImage } from './puller/pull-image';
