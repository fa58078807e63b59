export { failureAnswer, readAnswer, successAnswer } from './answer';
export type { ClassicAnswer, ReadAnswer } from './answer';
export { RESULT_CODE } from './codes';
export {
  FRAME_HEADER_LENGTH,
  FRAME_TAIL,
  PieceMd5,
  frameHeader,
  frameTail,
  parseFrameHeader,
  parsePieceMd5,
  pieceMd5Of,
} from './frame';
export type { FrameHeader, ParsedPieceMd5 } from './frame';
export { formatHeaderFields, parseHeaderFields } from './header-fields';
export type { ClassicParse, ClassicRefusal } from './parse';
export { answerPeerFile, blobInPeerFilePath, peerFilePath } from './peer-file';
export type { PeerFile, PeerFileAnswer, PeerFileRequest } from './peer-file';
export {
  DEFAULT_DOWN_LINK,
  MAX_PIECE_SOURCES,
  continueAnswer,
  finishAnswer,
  parsePeerTaskAnswer,
  superFailAnswer,
  supernodeCid,
  unknownTaskAnswer,
  waitAnswer,
} from './peer-task-answer';
export type { PeerTaskAnswer, PieceSource } from './peer-task-answer';
export { formatPeerTaskRequest, parsePeerTaskRequest } from './peer-task-request';
export type { PeerTaskRequest, PieceOutcome } from './peer-task-request';
export { formatPieceRange, framedParts, parsePieceRange } from './piece-range';
export type { FramedFile, FramedPart, PieceRange } from './piece-range';
export {
  formatPieceError,
  formatPieceSuccess,
  formatServiceDown,
  parsePieceError,
  parsePieceSuccess,
  parseReportAnswer,
  parseServiceDown,
} from './piece-reports';
export type { PieceError, PieceSuccess, ReportAnswer, ServiceDown } from './piece-reports';
export { FRAME_OVERHEAD, framedLength, pieceCount, pieceSizeOf, rawLengthOf } from './piece-size';
export { parseRegistryAnswer, registeredAnswer } from './registry-answer';
export type { Registration, RegistryAnswer } from './registry-answer';
export { formatRegistryRequest, parseRegistryRequest } from './registry-request';
export type { NativeOffer, RegistryRequest } from './registry-request';
export { filterUrl, taskIdOf } from './task-id';
export type { FilterStyle, TaskIdentity } from './task-id';
export { PREHEATS_PATH, preheatDocument, preheatOrdered, preheatRefusal } from './preheat';
export type { PreheatBlob, PreheatBlobState, PreheatDocument, PreheatState, PreheatSummary } from './preheat';
