import { CLIENT_RESULT, CLIENT_STATUS } from './codes';
import { accepted, refused, shown, type ClassicParse } from './parse';
import { formatPieceRange, parsePieceRange, type PieceRange } from './piece-range';
import { formatQuery, lastValues } from './query';

/** What became of a piece that the client was told to fetch. */
export interface PieceOutcome extends PieceRange {
  /** The `cid` that it was fetched from; undefined when the client does not say. */
  readonly dstCid: string | undefined;
  /** Whether it arrived whole: on disk, or in memory and soon there. */
  readonly arrived: boolean;
}

/** `GET /peer/task`: a client reports a piece and asks for more (Dragonfly 0.x protocol, 2.4). */
export type PeerTaskRequest = { readonly srcCid: string; readonly taskId: string } & (
  | {
      /** The first question after a registration. */
      readonly kind: 'start';
      /** After a migration the client repeats its last report here, which was meant for another supernode. */
      readonly outcome: PieceOutcome | undefined;
    }
  | { readonly kind: 'report'; readonly outcome: PieceOutcome }
  /** The client ends; the originals never send it. */
  | { readonly kind: 'finish'; readonly success: boolean }
);

const ARRIVED = new Map<string, boolean>([
  [String(CLIENT_RESULT.success), true],
  [String(CLIENT_RESULT.semiSuccess), true],
  [String(CLIENT_RESULT.fail), false],
]);

const FIELDS = ['srcCid', 'dstCid', 'range', 'result', 'status', 'taskId'] as const;

/**
 * Reads the query of `GET /peer/task`, unescaped as Go clients write it or escaped and in any order as Python does. What the
 * Python client adds is ignored. Total.
 *
 * @param query the text after the `?`, undecoded
 */
export function parsePeerTaskRequest(query: string): ClassicParse<PeerTaskRequest> {
  const [srcCid, dstCid, range, result, status, taskId] = lastValues(query, FIELDS);
  if (srcCid === '') return refused('srcCid is empty: send the cid of the registration.');
  if (taskId === '') return refused('taskId is empty: send the one that the registration gave.');

  const arrived = ARRIVED.get(result);
  const piece = parsePieceRange(range);
  // Member by member: spreading `piece` took as long as all the rest.
  const outcome: PieceOutcome | undefined =
    arrived === undefined || piece === undefined
      ? undefined
      : {
          pieceNum: piece.pieceNum,
          pieceSize: piece.pieceSize,
          dstCid: dstCid === '' ? undefined : dstCid,
          arrived,
        };

  switch (status) {
    case String(CLIENT_STATUS.start):
      return accepted({ kind: 'start', srcCid, taskId, outcome });
    case String(CLIENT_STATUS.running):
      if (arrived === undefined)
        return refused(`result has to be 500, 501 or 503 with status 701; given was ${shown(result)}.`);
      if (outcome !== undefined) return accepted({ kind: 'report', srcCid, taskId, outcome });
      return refused(
        `range has to be that of a full framed piece, n*pieceSize-(n+1)*pieceSize-1; given was ${shown(range)}.`,
      );
    case String(CLIENT_STATUS.finished):
      if (arrived === undefined)
        return refused(`result has to be 500 or 501 with status 702; given was ${shown(result)}.`);
      return accepted({ kind: 'finish', srcCid, taskId, success: arrived });
    default:
      return refused(`status has to be 700, 701 or 702; given was ${shown(status)}.`);
  }
}

/** The query with which dfget would ask, values escaped: every original supernode decodes them. */
export function formatPeerTaskRequest(request: PeerTaskRequest): string {
  const outcome = request.kind === 'finish' ? undefined : request.outcome;
  return formatQuery({
    srcCid: request.srcCid,
    dstCid: outcome?.dstCid ?? '',
    range: outcome === undefined ? '' : formatPieceRange(outcome),
    result: resultOf(request),
    status:
      request.kind === 'start'
        ? CLIENT_STATUS.start
        : request.kind === 'report'
          ? CLIENT_STATUS.running
          : CLIENT_STATUS.finished,
    taskId: request.taskId,
  });
}

function resultOf(request: PeerTaskRequest): number {
  if (request.kind === 'finish') return request.success ? CLIENT_RESULT.success : CLIENT_RESULT.fail;
  if (request.outcome === undefined) return CLIENT_RESULT.invalid;
  return request.outcome.arrived ? CLIENT_RESULT.semiSuccess : CLIENT_RESULT.fail;
}
