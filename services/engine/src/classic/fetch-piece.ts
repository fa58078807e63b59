import { createHash } from 'node:crypto';

import { timeoutSignal } from '@cdk8s-dragonfly/command';
import {
  FRAME_HEADER_LENGTH,
  FRAME_OVERHEAD,
  FRAME_TAIL,
  parseFrameHeader,
  parsePieceMd5,
} from '@cdk8s-dragonfly/protocol';
import type { PieceSource } from '@cdk8s-dragonfly/protocol';
import type { Dispatcher } from 'undici';

import { LinkFailure, linkFailure } from '../links/failure';

/** What a piece may take, in milliseconds: as the original Python client has it, so much for all and so many bytes a millisecond. */
const LIMIT_AT_LEAST = 2000;
const LIMIT_RATE = 131.072;

/** A piece does not have the MD5 that the supernode told. */
export class DamagedPiece extends LinkFailure {
  constructor(
    where: string,
    readonly realMd5: string,
    readonly expectedMd5: string,
  ) {
    super('lying', `${where} has the MD5 ${realMd5} instead of ${expectedMd5}`);
  }
}

/** The content of a piece, without its frame. */
export interface FetchedPiece {
  readonly chunks: readonly Buffer[];
  readonly length: number;
  /** Whether it had the MD5 that the supernode told; false: it told none. */
  readonly isChecked: boolean;
}

/**
 * Fetches a piece from an original supernode's piece server or an original client, and checks its frame and its MD5 (Dragonfly 0.x
 * protocol, 3.3 and 9). All of it is in memory then.
 *
 * @param rawLength of its content in bytes; undefined: not known.
 * @throws LinkFailure; `signal`'s reason when it aborts.
 */
export async function fetchPiece(
  source: PieceSource,
  rawLength: number | undefined,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<FetchedPiece> {
  const { pieceNum, pieceSize, peerIp, peerPort } = source;
  const where = `piece ${pieceNum} from ${peerIp}:${peerPort}`;
  const expected = parsePieceMd5(source.pieceMd5);
  // The exact end where it is known: original Python clients do not clip the last piece.
  const known = rawLength === undefined ? expected?.framedLength : rawLength + FRAME_OVERHEAD;
  const most = Math.min(pieceSize, known ?? pieceSize);
  const start = pieceNum * pieceSize;
  const late = timeoutSignal(Math.ceil(LIMIT_AT_LEAST + most / LIMIT_RATE));
  try {
    const { statusCode, body } = await dispatcher.request({
      origin: `http://${peerIp}:${peerPort}`,
      path: sendable(source.path),
      method: 'GET',
      headers: { range: `bytes=${start}-${start + most - 1}`, pieceNum: `${pieceNum}`, pieceSize: `${pieceSize}` },
      signal: AbortSignal.any([signal, late]),
    });
    if (statusCode < 200 || statusCode > 299) {
      await body.dump({ limit: 16 * 1024 });
      throw new LinkFailure(statusCode === 404 ? 'missing' : 'gone', `${where}: the answer was ${statusCode}`);
    }
    const md5 = createHash('md5');
    const framed: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > most) throw new LinkFailure('lying', `${where} is longer than its ${most} bytes`);
      if (expected !== undefined) md5.update(chunk);
      framed.push(chunk);
    }
    if (known !== undefined && length < known) {
      throw new LinkFailure('gone', `${where} has ${length} of ${known} bytes`);
    }
    const real = md5.digest('hex');
    if (expected !== undefined && real !== expected.md5) throw new DamagedPiece(where, real, expected.md5);
    return {
      chunks: contentOf(framed, length, pieceSize, where),
      length: length - FRAME_OVERHEAD,
      isChecked: expected !== undefined,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw linkFailure(late.aborted ? new Error('it took too long') : error, where);
  }
}

/** The content without its frame, which must fit it. Nothing is copied. */
function contentOf(framed: readonly Buffer[], length: number, pieceSize: number, where: string): Buffer[] {
  const header = parseFrameHeader(Buffer.concat(cut(framed, 0, Math.min(length, FRAME_HEADER_LENGTH))));
  const tail = framed.at(-1)?.at(-1);
  if (header?.pieceSize !== pieceSize || header.rawLength + FRAME_OVERHEAD !== length || tail !== FRAME_TAIL) {
    throw new LinkFailure('lying', `${where}: its ${length} bytes are no framed piece`);
  }
  return cut(framed, FRAME_HEADER_LENGTH, length - 1);
}

/** The bytes `from` (inclusive) to `end` (exclusive) of `chunks`. */
function cut(chunks: readonly Buffer[], from: number, end: number): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, from - at), Math.max(0, end - at));
    if (part.length > 0) parts.push(part);
    at += chunk.length;
  }
  return parts;
}

/** Original clients do not escape their paths: only what no request line may have is. */
function sendable(path: string): string {
  return path.replaceAll(/[^!-~]+/g, (text) => encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')));
}
