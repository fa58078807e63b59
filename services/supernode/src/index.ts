export { Supernode } from './supernode';
export type { SupernodeOptions } from './supernode';
