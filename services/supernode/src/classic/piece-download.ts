import type { IncomingMessage, ServerResponse } from 'node:http';

import { framedLength, framedParts, parseRange } from '@cdk8s-dragonfly/protocol';
import { DamagedBlock } from '@cdk8s-dragonfly/store';
import type { BlockSlots } from '@cdk8s-dragonfly/store';

import type { OtherRequests } from '../fronts/block-server';
import type { Task } from '../tasks/task';
import type { TaskTable } from '../tasks/task-table';
import type { ClassicAliases } from './classic-aliases';
import { ClassicPieces } from './classic-pieces';
import { taskIdInPath } from './download-path';

/** A client that takes no byte for this long, in ms, is cut off. */
const IDLE_LIMIT = 60_000;

/** What the piece server works with. */
export interface PieceDownloadTools {
  readonly tasks: TaskTable;
  readonly aliases: ClassicAliases;
  readonly log: { warn(fields: object, message: string): void };
  /** Is told of the bytes that were given. */
  readonly served?: ((bytes: number) => void) | undefined;
}

/** How a request is answered. Offsets are those of the framed file, the end exclusive. */
type Plan =
  | { readonly status: 200 | 206; readonly from: number; readonly end: number; readonly contentRange?: string }
  | { readonly status: 416; readonly contentRange: string };

/**
 * `GET /download/<ttt>/<taskId>`, the framed file, for original clients (Dragonfly 0.x protocol, 3.3, 3.4 and 9). The frames are made on
 * the way; what is not here whole is not found.
 */
export function pieceDownload({ tasks, aliases, log, served }: PieceDownloadTools): OtherRequests {
  return (request, response, slots) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const blob = aliases.blobOf(taskIdInPath(path) ?? '');
    const task = blob === undefined ? undefined : tasks.find(blob)?.task;
    if (request.method !== 'GET' || task?.stored === undefined) return false;
    const pieces = new ClassicPieces(task.stored);
    const plan = planFor(request, pieces, task.state);
    if (plan === undefined) return false;
    tasks.touch(task.blob);
    const client = request.socket.remoteAddress ?? '';
    give(plan, pieces, { client, response, slots }, served).catch((error: unknown) => {
      if (error instanceof DamagedBlock) task.repair();
      // A client that goes away in the middle is usual.
      if (response.destroyed) return;
      log.warn({ err: error, path }, 'a piece could not be given');
      response.destroy();
    });
    return true;
  };
}

function planFor(request: IncomingMessage, pieces: ClassicPieces, state: Task['state']): Plan | undefined {
  const { pieceSize, stored } = pieces;
  const size = stored.size === undefined ? undefined : framedLength(stored.size, pieceSize);
  // Of a file without a known length, full pieces may be asked for.
  const range = parseRange(request.headers.range, size ?? Number.MAX_SAFE_INTEGER);
  switch (range.kind) {
    case 'whole':
      return state === 'complete' && stored.whole && size !== undefined
        ? { status: 200, from: 0, end: size }
        : undefined;
    case 'unsatisfiable':
      return { status: 416, contentRange: range.contentRange };
    case 'part': {
      const { from, end } = range;
      for (let piece = Math.floor(from / pieceSize); piece * pieceSize < end; piece += 1) {
        if (!pieces.has(piece)) return undefined;
      }
      return { status: 206, from, end, contentRange: `bytes ${from}-${end - 1}/${size ?? '*'}` };
    }
  }
}

/** Who gets an answer, and whose turn it is. */
interface Taker {
  /** By its address. */
  readonly client: string;
  readonly response: ServerResponse;
  readonly slots: Pick<BlockSlots, 'take'>;
}

async function give(
  plan: Plan,
  pieces: ClassicPieces,
  taker: Taker,
  served: PieceDownloadTools['served'],
): Promise<void> {
  const { response } = taker;
  const range = plan.contentRange === undefined ? {} : { 'content-range': plan.contentRange };
  if (plan.status === 416) {
    response.writeHead(416, { ...range, 'content-length': 0 }).end();
    return;
  }
  response.setTimeout(IDLE_LIMIT, () => response.destroy());
  response.writeHead(plan.status, {
    'content-type': 'application/octet-stream',
    'content-length': plan.end - plan.from,
    'accept-ranges': 'bytes',
    ...range,
  });
  await sendFramed(pieces, plan.from, plan.end, taker);
  response.end();
  served?.(plan.end - plan.from);
}

/** Each block has its turn among those of all clients: who is slow holds no more than one in memory, and takes no place from others. */
async function sendFramed(
  pieces: ClassicPieces,
  from: number,
  end: number,
  { client, response, slots }: Taker,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the client is gone')));
  const cut = (): void => void response.destroy();
  const file = { pieceSize: pieces.pieceSize, length: pieces.stored.size };
  for (const part of framedParts(file, from, end)) {
    if (part.kind === 'framing') {
      response.write(part.bytes);
      continue;
    }
    const blocks = pieces.read(part.from, part.end);
    for (let at = part.from; at < part.end;) {
      // Who waits for its turn, among a thousand others for more than a minute, takes nothing and is not slow.
      response.setTimeout(0);
      const done = await slots.take(client, gone.signal, cut);
      response.setTimeout(IDLE_LIMIT);
      let sent = 0;
      try {
        const next = await blocks.next();
        if (next.done === true) throw new RangeError(`${pieces.stored.blob} ends at byte ${at}`);
        sent = await passOn(next.value, response, gone.signal);
        at += sent;
      } finally {
        done(sent);
      }
    }
  }
}

/** Resolves when the connection has taken the bytes. @throws Error when the client goes away before. */
async function passOn(bytes: Buffer, response: ServerResponse, gone: AbortSignal): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const end = (): void => reject(gone.reason as Error);
    if (gone.aborted) end();
    gone.addEventListener('abort', end, { once: true });
    response.write(bytes, (error) => {
      gone.removeEventListener('abort', end);
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
  return bytes.length;
}
