export { HASH_LENGTH, SIGNATURE_LENGTH, attest, isAttested, publicKeyText, readPublicKey } from './attestation';
export type { Attestation, BlockStatement } from './attestation';
export { LineError, lineOf, readLines } from './lines';
export {
  BLOCK_HASH_HEADER,
  BLOCK_SIGNATURE_HEADER,
  NATIVE_VERSION,
  haveEvent,
  nativeRegistration,
  replicaIdentity,
  sessionEvent,
  sessionQuery,
} from './messages';
export type {
  HaveEvent,
  HaveMessage,
  NativeRegistration,
  Neighbour,
  ReplicaIdentity,
  SessionEvent,
  SessionMessage,
  SessionQuery,
  Share,
  TaskFailure,
} from './messages';
export { REPLICA_PATH, SESSION_PATH, blobRoute, blockPath, havePath } from './routes';
export type { BlobRoute } from './routes';
