import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { answerPeerFile, frameTail } from '@cdk8s-dragonfly/protocol';
import type { PeerFileAnswer } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

/** Whether a block's bytes are known to be right, so that they may be given to clients that cannot check them. */
export type IsProven = (stored: StoredBlob, block: number) => boolean;

/** A piece that is given, or why not. */
export type PieceGift = { readonly status: 206 } | { readonly status: 400 | 404 | 416; readonly message: string };

/** The bytes as fast as they may go. */
export type Paced = (bytes: Buffer) => Iterable<Buffer> | AsyncIterable<Buffer>;

type Frame = Extract<PeerFileAnswer, { status: 206 }>;

/**
 * Answers an original client's request for a piece, or for any raw range in a frame of its own (Dragonfly 0.x protocol, 5.2). What is not
 * proven is not here, for those who ask. Nothing is written when it is refused.
 *
 * @param paced holds the bytes back to a limit of the rate. Default: none.
 * @throws DamagedBlock when the disk does not have a block any more; an error of the connection.
 */
export async function givePiece(
  stored: StoredBlob,
  isProven: IsProven,
  request: IncomingMessage,
  response: ServerResponse,
  paced: Paced = (bytes) => [bytes],
): Promise<PieceGift> {
  const { grid, size } = stored;
  const answer = answerPeerFile(
    { range: request.headers.range, pieceNum: one(request, 'piecenum'), pieceSize: one(request, 'piecesize') },
    // While the end is not known nothing is cut off there, and what is not held is not found.
    { size: size ?? Number.MAX_SAFE_INTEGER, pieceSize: grid.pieceSize },
  );
  if (answer.status !== 206) return answer;
  for (let from = answer.from; from < answer.end;) {
    const block = grid.blockAt(from);
    if (!stored.held.has(block) || !isProven(stored, block)) {
      return { status: 404, message: `the bytes from ${from} on of ${stored.blob} are not here` };
    }
    const { offset, length } = grid.span(block);
    from = offset + length;
  }
  response.writeHead(206, { 'content-type': 'application/octet-stream', 'content-length': answer.framedLength });
  await pipeline(Readable.from(framed(stored, answer, paced)), response);
  return { status: 206 };
}

/** A block at a time is in memory. */
async function* framed(stored: StoredBlob, { header, from, end }: Frame, paced: Paced): AsyncGenerator<Buffer> {
  const { grid } = stored;
  yield header;
  for (let position = from; position < end;) {
    const block = grid.blockAt(position);
    const { offset } = grid.span(block);
    const bytes = (await stored.read(block)).subarray(position - offset, end - offset);
    position += bytes.length;
    yield* paced(bytes);
  }
  yield frameTail();
}

function one(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
