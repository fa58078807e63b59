export { assembleBlocks } from './assemble-blocks';
export type { AssembledBlock } from './assemble-blocks';
export { BlobStore } from './blob-store';
export { DamagedBlock, StoredBlob } from './stored-blob';
export type { BlockProof } from './block-table';
