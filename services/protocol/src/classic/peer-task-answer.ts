import { z } from 'zod';
import { readAnswer, type ClassicAnswer } from './answer';
import { RESULT_CODE } from './codes';
import { parsePieceMd5 } from './frame';
import { formatPieceRange, parsePieceRange } from './piece-range';
import { framedLength } from './piece-size';

/** A piece to fetch and where from: an item of a 601 answer (Dragonfly 0.x protocol, 2.4). */
export interface PieceSource {
  readonly pieceNum: number;
  /** The framed size of a full piece in bytes. */
  readonly pieceSize: number;
  /** `<32 hex>:<framed length>`. From original Go supernodes empty: do not check. */
  readonly pieceMd5: string;
  /** Whom to name as `dstCid` later. */
  readonly cid: string;
  readonly peerIp: string;
  readonly peerPort: number;
  readonly path: string;
  /** KiB/s allowed for the whole task. From original Go supernodes 0. */
  readonly downLink: number;
}

/** The most pieces that a 601 answer lists. */
export const MAX_PIECE_SOURCES = 4;

/** The `downLink` of original Java supernodes, in KiB/s: 20 MiB/s for a task. */
export const DEFAULT_DOWN_LINK = 20_480;

/** The `cid` under which the supernode itself is a source. */
export function supernodeCid(advertisedIp: string, taskId: string): string {
  return `cdnnode:${advertisedIp}~${taskId}`;
}

/**
 * 601: fetch these pieces. Strict, since original clients hang or crash on less (Dragonfly 0.x protocol, 9 and T5, T7).
 *
 * @throws RangeError when there are none or more than 4, a `pieceMd5` without length, a `downLink` of 0 or a port of 0
 */
export function continueAnswer(sources: readonly PieceSource[]): ClassicAnswer {
  if (sources.length < 1 || sources.length > MAX_PIECE_SOURCES) {
    throw new RangeError(
      `A 601 answer lists 1 to ${MAX_PIECE_SOURCES} pieces, not ${sources.length}: answer 602 instead of an empty list.`,
    );
  }
  return { code: RESULT_CODE.peerContinue, data: sources.map((source) => sourceItem(source)) };
}

function sourceItem(source: PieceSource): object {
  const { pieceNum, pieceSize, pieceMd5, cid, peerIp, peerPort, path, downLink } = source;
  if (parsePieceMd5(pieceMd5)?.framedLength === undefined || !(downLink > 0) || !(peerPort > 0)) {
    throw new RangeError(
      `Piece ${pieceNum} cannot be offered with pieceMd5 "${pieceMd5}", downLink ${downLink} and peerPort ${peerPort}: original clients need "<32 hex>:<length>" and numbers above 0.`,
    );
  }
  return { range: formatPieceRange(source), pieceNum, pieceSize, pieceMd5, cid, peerIp, peerPort, path, downLink };
}

/**
 * 600: the client has every piece. The document tells the framed length (Dragonfly 0.x protocol, T4).
 *
 * @param file raw length, piece size, and the MD5 of the raw file; empty: the client does not check
 * @throws RangeError when length or piece size is none
 */
export function finishAnswer(file: {
  readonly length: number;
  readonly pieceSize: number;
  readonly md5: string;
}): ClassicAnswer {
  return {
    code: RESULT_CODE.peerFinish,
    data: { md5: file.md5, fileLength: framedLength(file.length, file.pieceSize) },
  };
}

/** 602: nothing to fetch yet. The client asks again in 0.6 to 2 seconds. */
export function waitAnswer(): ClassicAnswer {
  return { code: RESULT_CODE.peerWait, msg: 'peer should wait' };
}

/** 604: the supernode's own download failed; the client goes elsewhere. */
export function superFailAnswer(reason: string): ClassicAnswer {
  return { code: RESULT_CODE.superFail, msg: reason };
}

/** 605: this supernode does not know the client or the task; the client registers again or goes elsewhere. */
export function unknownTaskAnswer(): ClassicAnswer {
  return { code: RESULT_CODE.unknownError, msg: 'the client or the task is not known here: register again' };
}

/** What a supernode answered to `GET /peer/task`. */
export type PeerTaskAnswer =
  | {
      readonly kind: 'finish';
      /** The MD5 of the raw file in lower case; undefined: do not check. */
      readonly md5: string | undefined;
      /** The framed length in bytes; undefined when the supernode does not tell. */
      readonly framedLength: number | undefined;
    }
  /** Maybe none: then wait as for `wait`. */
  | { readonly kind: 'continue'; readonly sources: readonly PieceSource[] }
  /** 602, and what original clients take like it: 603 and 200. */
  | { readonly kind: 'wait'; readonly code: number }
  /** Any other code: register at the next supernode. */
  | { readonly kind: 'failed'; readonly code: number; readonly msg: string }
  /** No answer of the protocol: the same. */
  | { readonly kind: 'unusable'; readonly fault: string };

const SOURCES = z
  .array(
    z
      .object({
        range: z.string(),
        pieceMd5: z.string().nullish(),
        cid: z.string(),
        peerIp: z.string().min(1),
        peerPort: z.int().min(1).max(65_535),
        path: z.string().startsWith('/'),
        downLink: z.number().nullish(),
      })
      .transform((item, context): PieceSource => {
        const piece = parsePieceRange(item.range);
        if (piece === undefined) {
          context.addIssue({ code: 'custom', message: 'no range of a piece' });
          return z.NEVER;
        }
        const { cid, peerIp, peerPort, path } = item;
        return { ...piece, pieceMd5: item.pieceMd5 ?? '', cid, peerIp, peerPort, path, downLink: item.downLink ?? 0 };
      }),
  )
  .nullish();

const FINISH = z.object({ md5: z.string().nullish(), fileLength: z.int().nullish() }).nullish();

/**
 * Reads an answer to `GET /peer/task`, of this project's and of original supernodes: 601 without data, empty `pieceMd5`,
 * `downLink` 0, 600 without data, errors inside HTTP 500 (Dragonfly 0.x protocol, 2.4 and 9). Total.
 */
export function parsePeerTaskAnswer(status: number, body: string): PeerTaskAnswer {
  const answer = readAnswer(status, body);
  if (!answer.ok) return { kind: 'unusable', fault: answer.fault };
  const { code, msg } = answer;
  if (status !== 200) return { kind: 'failed', code, msg };
  switch (code) {
    case RESULT_CODE.peerFinish: {
      const { success, data } = FINISH.safeParse(answer.data);
      if (!success) return { kind: 'unusable', fault: 'The supernode answered 600 with malformed data.' };
      const length = data?.fileLength ?? -1;
      return { kind: 'finish', md5: md5Of(data?.md5), framedLength: length < 0 ? undefined : length };
    }
    case RESULT_CODE.peerContinue: {
      const { success, data } = SOURCES.safeParse(answer.data);
      if (!success) return { kind: 'unusable', fault: 'The supernode answered 601 with a malformed list of pieces.' };
      return { kind: 'continue', sources: data ?? [] };
    }
    case RESULT_CODE.peerWait:
    case RESULT_CODE.peerLimited:
    case RESULT_CODE.success:
      return { kind: 'wait', code };
    default:
      return { kind: 'failed', code, msg };
  }
}

function md5Of(text: string | null | undefined): string | undefined {
  return text === null || text === undefined || text === '' ? undefined : text.toLowerCase();
}
