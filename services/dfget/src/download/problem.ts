import { statfs } from 'node:fs/promises';

import { formatBytes, formatDuration } from '@cdk8s-dragonfly/command';
import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { Unstorable } from '@cdk8s-dragonfly/store';

import type { DfgetValues, FileOrder } from './file-order';
import type { Transit } from './output-file';

/** What was tried. */
export interface Attempt {
  readonly order: Pick<FileOrder, 'request'>;
  /** Of the output. */
  readonly path: string;
  /** In bytes. Default: nobody has told it. */
  readonly size?: number | undefined;
  readonly transit: Pick<Transit, 'folder'>;
}

/** What a user is told of an error. @throws an error that is none of the download's. */
export async function problemOf(
  error: unknown,
  { timeout = 0 }: Pick<DfgetValues, 'timeout'>,
  { order, path, size, transit }: Attempt,
  late: AbortSignal | undefined,
): Promise<Pick<BlobUnavailable, 'reason' | 'status' | 'message'>> {
  if (late?.aborted === true) {
    const message = `not done within ${formatDuration(timeout)} (--timeout)`;
    return { reason: 'origin-unreachable', status: undefined, message };
  }
  const { blob, url } = order.request;
  const causes = causesOf(error);
  const code = causes.map(codeOf).find((one) => one !== undefined);
  if (!(error instanceof BlobUnavailable)) {
    if (code === undefined) throw error;
    return { reason: 'unstorable', status: undefined, message: (error as Error).message };
  }
  if (error.reason === 'digest-mismatch') {
    // What the swarm calls it tells a user nothing.
    const message = error.message.replace(blob, `${url.origin}${url.pathname}`);
    return { reason: error.reason, status: undefined, message: `${message}, and ${path} is as it was before` };
  }
  if (error.status === 401) {
    const { message, reason, status } = error;
    return { reason, status, message: `${message.replace(/\.$/, '')}: ${credentialsAdvice(order)}` };
  }
  if (error.reason !== 'unstorable') return error;
  // Without a code of the system's the store has refused it: it has no quota here, so there is not room enough.
  const isFull = code === undefined || code === 'ENOSPC' || code === 'EDQUOT';
  if (!isFull) return error;
  // Who has removed the folder meanwhile has what the store says.
  const room = await statfs(transit.folder).catch(() => undefined);
  if (room === undefined) return error;
  const free = room.bavail * room.bsize;
  const needed = causes.find((one) => one instanceof Unstorable)?.needed;
  const file = size === undefined || needed !== undefined ? 'the file' : `the file of ${formatBytes(size)}`;
  const more = needed === undefined ? '' : `it takes ${formatBytes(needed)} more, and `;
  const message = `${file} does not fit: ${more}${formatBytes(free)} are free in ${transit.folder}; make room, or choose another --output or --home`;
  return { reason: 'unstorable', status: undefined, message };
}

function credentialsAdvice({ request: { headers } }: Attempt['order']): string {
  const isGiven = headers.some(([name]) => name.toLowerCase() === 'authorization');
  return isGiven
    ? 'it does not take the Authorization of --header'
    : "it wants credentials; give --header 'Authorization: …'";
}

/** An error and what led to it, the last in front. */
function causesOf(error: unknown): object[] {
  if (typeof error !== 'object' || error === null) return [];
  return [error, ...causesOf((error as { readonly cause?: unknown }).cause)];
}

function codeOf(error: object): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
