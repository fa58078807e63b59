export {
  ATTESTATION_LENGTH,
  HASH_LENGTH,
  SIGNATURE_LENGTH,
  attest,
  attestationBytes,
  isAttested,
  publicKeyText,
  readAttestation,
  readPublicKey,
} from './attestation';
export type { Attestation, BlockStatement } from './attestation';
export { BLOBS_PATH, REACH_PATH, REACH_PATIENCE, daemonBlobs, daemonReach } from './daemon-report';
export type { DaemonBlobs, DaemonReach, ReachFault } from './daemon-report';
export { editionOf, isMarked, isOfEdition } from './edition';
export type { Edition, EditionMarks } from './edition';
export { LineCutter, LineError, lineOf, readLines } from './lines';
export type { LineForm } from './lines';
export {
  ARRIVING_HEADER,
  BLOCK_EDITION_HEADER,
  BLOCK_HASH_HEADER,
  BLOCK_SIGNATURE_HEADER,
  MAX_HOLDINGS,
  MAX_LATER,
  MAX_UNDER_WAY,
  NATIVE_VERSION,
  PROCESS_HEADER,
  UNATTESTED_HEADER,
  haveEvent,
  holdings,
  holdingsQuery,
  nativeRefusal,
  nativeRegistration,
  neighbour,
  peerReport,
  replicaAnswer,
  sessionEvent,
  sessionQuery,
} from './messages';
export type {
  HaveEvent,
  HaveMessage,
  Holdings,
  HoldingsQuery,
  NativeRefusal,
  NativeRegistration,
  Neighbour,
  PeerReport,
  ReplicaAnswer,
  ReplicaIdentity,
  SessionEvent,
  SessionMessage,
  Share,
  TaskFailure,
} from './messages';
export { haveLine, sessionLine } from './plain-lines';
export {
  FORMER_SESSION_PATHS,
  HOLDINGS_PATH,
  REPLICA_PATH,
  REPORTS_PATH,
  SESSION_PATH,
  blobRoute,
  blockPath,
  havePath,
  pingedTogether,
} from './routes';
export type { BlobRoute } from './routes';
export { SESSION_KEY_HEADER, isProvable, mayUseCid, provableCid } from './session-key';
export * from './pulse';
