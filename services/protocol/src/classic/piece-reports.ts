import { readAnswer } from './answer';
import { RESULT_CODE } from './codes';
import { accepted, refused, shown, type ClassicParse } from './parse';
import { formatPieceRange, parsePieceRange, type PieceRange } from './piece-range';
import { formatQuery, lastValues } from './query';

/** `GET /peer/piece/suc`: a piece is on the client's disk and can be served to others (Dragonfly 0.x protocol, 2.5). */
export interface PieceSuccess extends PieceRange {
  readonly taskId: string;
  /** Who has it. */
  readonly cid: string;
  /** Where it came from; undefined when the client does not say. */
  readonly dstCid: string | undefined;
}

/** `GET /peer/piece/error`: a piece could not be had as announced (Dragonfly 0.x protocol, 2.6). */
export interface PieceError {
  /** The piece was answered with 404, or its MD5 is another one. */
  readonly errorType: 'FILE_NOT_EXIST' | 'FILE_MD5_NOT_MATCH';
  readonly taskId: string;
  /** Who reports. */
  readonly srcCid: string;
  /** Who served it. */
  readonly dstCid: string;
  readonly dstIp: string | undefined;
  /** Told with FILE_MD5_NOT_MATCH only. */
  readonly piece: PieceRange | undefined;
  readonly realMd5: string | undefined;
  readonly expectedMd5: string | undefined;
}

/** `GET /peer/service/down`: a peer no longer serves a task (Dragonfly 0.x protocol, 2.7). */
export interface ServiceDown {
  readonly taskId: string;
  readonly cid: string;
}

/** Reads the query of `GET /peer/piece/suc`. Total. */
export function parsePieceSuccess(query: string): ClassicParse<PieceSuccess> {
  const [taskId, cid, dstCid, pieceRange] = lastValues(query, ['taskId', 'cid', 'dstCid', 'pieceRange']);
  const missing = firstMissing({ taskId, cid, pieceRange });
  if (missing !== undefined) return missing;
  const piece = parsePieceRange(pieceRange);
  if (piece === undefined) return badRange('pieceRange', pieceRange);
  const { pieceNum, pieceSize } = piece;
  return accepted({ pieceNum, pieceSize, taskId, cid, dstCid: given(dstCid) });
}

/** The query of `GET /peer/piece/suc`. Go supernodes answer HTTP 500 without a known `dstCid`: better not send it then. */
export function formatPieceSuccess(report: PieceSuccess): string {
  const { taskId, cid, dstCid } = report;
  return formatQuery({ taskId, cid, dstCid: dstCid ?? '', pieceRange: formatPieceRange(report) });
}

const ERROR_FIELDS = ['errorType', 'taskId', 'srcCid', 'dstCid', 'dstIp', 'range', 'realMd5', 'expectedMd5'] as const;

/** Reads the query of `GET /peer/piece/error`. Total. */
export function parsePieceError(query: string): ClassicParse<PieceError> {
  const [errorType, taskId, srcCid, dstCid, dstIp, range, realMd5, expectedMd5] = lastValues(query, ERROR_FIELDS);
  const missing = firstMissing({ errorType, taskId, srcCid, dstCid });
  if (missing !== undefined) return missing;
  if (errorType !== 'FILE_NOT_EXIST' && errorType !== 'FILE_MD5_NOT_MATCH') {
    return refused(`errorType has to be FILE_NOT_EXIST or FILE_MD5_NOT_MATCH; given was ${shown(errorType)}.`);
  }
  const piece = range === '' ? undefined : parsePieceRange(range);
  if (range !== '' && piece === undefined) return badRange('range', range);
  return accepted({
    errorType,
    taskId,
    srcCid,
    dstCid,
    dstIp: given(dstIp),
    piece,
    realMd5: given(realMd5),
    expectedMd5: given(expectedMd5),
  });
}

/** The query of `GET /peer/piece/error`, in the order of the original. */
export function formatPieceError(report: PieceError): string {
  const { errorType, srcCid, dstCid, dstIp, taskId, piece, realMd5, expectedMd5 } = report;
  return formatQuery({
    errorType,
    srcCid,
    dstCid,
    dstIp: dstIp ?? '',
    taskId,
    range: piece === undefined ? '' : formatPieceRange(piece),
    realMd5: realMd5 ?? '',
    expectedMd5: expectedMd5 ?? '',
  });
}

/** Reads the query of `GET /peer/service/down`. Total. */
export function parseServiceDown(query: string): ClassicParse<ServiceDown> {
  const [taskId, cid] = lastValues(query, ['taskId', 'cid']);
  return firstMissing({ taskId, cid }) ?? accepted({ taskId, cid });
}

/** The query of `GET /peer/service/down`. */
export function formatServiceDown({ taskId, cid }: ServiceDown): string {
  return formatQuery({ taskId, cid });
}

/** What a supernode answered to a report. */
export type ReportAnswer =
  { readonly kind: 'taken' } | { readonly kind: 'failed'; readonly code: number | undefined; readonly msg: string };

const TAKEN: ReadonlySet<number> = new Set([RESULT_CODE.success, RESULT_CODE.pieceReported, RESULT_CODE.peerDown]);

/** Reads an answer to any of these reports: code 200, 611 or 612, or the empty body of Go 0.4.0 to 0.4.2. Total. */
export function parseReportAnswer(status: number, body: string): ReportAnswer {
  if (status === 200 && body.trim() === '') return { kind: 'taken' };
  const answer = readAnswer(status, body);
  if (!answer.ok) return { kind: 'failed', code: undefined, msg: answer.fault };
  return status === 200 && TAKEN.has(answer.code)
    ? { kind: 'taken' }
    : { kind: 'failed', code: answer.code, msg: answer.msg };
}

function given(value: string): string | undefined {
  return value === '' ? undefined : value;
}

function firstMissing(fields: Readonly<Record<string, string>>): ReturnType<typeof refused> | undefined {
  for (const name in fields) if (fields[name] === '') return refused(`${name} is empty: it has to be given.`);
  return undefined;
}

function badRange(name: string, range: string): ReturnType<typeof refused> {
  return refused(
    `${name} has to be that of a full framed piece, n*pieceSize-(n+1)*pieceSize-1; given was ${shown(range)}.`,
  );
}
