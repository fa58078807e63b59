export { MAX_BLOCK, BlockSet, bitsIn } from './block-set';
export { BLOCK_SIZE, FIRST_PIECE_BLOCK_SIZE, Grid, isPieceSize } from './grid';
export type { BlockSpan } from './grid';
