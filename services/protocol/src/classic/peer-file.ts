import { isBlobId } from '../digest';
import type { BlobId } from '../digest';
import { isPieceSize } from '../grid';
import { frameHeader } from './frame';
import { FRAME_OVERHEAD } from './piece-size';

const PREFIX = '/peer/file/';

/** Where one of our daemons has a blob for original clients: the same at each of them, and a file name as the originals make them. */
export function peerFilePath(blob: BlobId): string {
  return PREFIX + blob.replace(':', '-');
}

/** The blob that a path of {@link peerFilePath} names; undefined for any other path. */
export function blobInPeerFilePath(path: string): BlobId | undefined {
  const blob = path.startsWith(PREFIX) ? path.slice(PREFIX.length).replace('-', ':') : '';
  return isBlobId(blob) ? blob : undefined;
}

/** A request for a piece to a peer server, which stores raw content (Dragonfly 0.x protocol, 5.2). */
export interface PeerFileRequest {
  /** The header `Range`. */
  readonly range: string | undefined;
  /** The header `pieceNum`. Default: derived from the range and the piece size. */
  readonly pieceNum?: string | undefined;
  /** The header `pieceSize`. Default: `file.pieceSize`. */
  readonly pieceSize?: string | undefined;
}

/** What the peer server has. */
export interface PeerFile {
  /** Raw bytes of the file. */
  readonly size: number;
  /** The framed size of a full piece, for requests without the header; undefined when it is not known. */
  readonly pieceSize: number | undefined;
}

/** How to answer a request for a piece. */
export type PeerFileAnswer =
  | {
      readonly status: 206;
      /** `Content-Length`: header, content and tail. */
      readonly framedLength: number;
      /** To send first. */
      readonly header: Buffer;
      /** The raw bytes `from` (inclusive) to `end` (exclusive) follow, then the tail. */
      readonly from: number;
      readonly end: number;
    }
  | { readonly status: 400 | 416; readonly message: string };

/**
 * Answers as the original Go peer server does: a frame of its own around the asked raw bytes, clipped at the end of the file, since
 * Go clients ask for the last piece with its full range. Unlike the original it refuses starts behind the end of the file, and
 * derives missing piece headers. Total.
 */
export function answerPeerFile(request: PeerFileRequest, file: PeerFile): PeerFileAnswer {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/i.exec(request.range?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || Number(last) <= Number(first)) {
    return { status: 400, message: 'The header Range has to be "bytes=<start>-<end>" with the end behind the start.' };
  }
  const start = Number(first);
  const pieceSize = request.pieceSize === undefined ? file.pieceSize : wholeNumber(request.pieceSize);
  if (pieceSize === undefined || !isPieceSize(pieceSize)) {
    return { status: 400, message: 'The header pieceSize has to be a whole number of MiB from 1 to 15, in bytes.' };
  }
  const pieceNum = request.pieceNum === undefined ? Math.floor(start / pieceSize) : wholeNumber(request.pieceNum);
  if (pieceNum === undefined) return { status: 400, message: 'The header pieceNum has to be a whole number.' };

  const asked = Number(last) - start + 1;
  const from = start - FRAME_OVERHEAD * pieceNum;
  if (asked < FRAME_OVERHEAD || asked > pieceSize || from < 0 || from > file.size) {
    return { status: 416, message: 'range not satisfiable' };
  }
  const end = Math.min(from + asked - FRAME_OVERHEAD, file.size);
  const header = frameHeader(end - from, pieceSize);
  return { status: 206, framedLength: end - from + FRAME_OVERHEAD, header, from, end };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}
