export { BlobStore } from './blob-store';
export { DamagedBlock, StoredBlob } from './stored-blob';
export type { BlockProof } from './block-table';
