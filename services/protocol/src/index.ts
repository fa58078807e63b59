export { digestInUrl, digestOf, hexOf, isBlobId, isDigest } from './digest';
export type { BlobId, Digest, TaskName } from './digest';
export { jsonOf } from './json';
export * from './grid';
export * from './native';
export * from './classic';
export * from './http';
