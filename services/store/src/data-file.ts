import type { FileHandle } from 'node:fs/promises';

import { isBadPlace } from './unstorable';

/** Fills `bytes` from a place of a file. @returns false when the file ends before, or that place of the disk is bad. */
export async function readAt(file: FileHandle, bytes: Buffer, position: number): Promise<boolean> {
  let done = 0;
  try {
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) return false;
      done += bytesRead;
    }
  } catch (error) {
    if (isBadPlace(error)) return false;
    throw error;
  }
  return true;
}

/** Writes all of `chunks`, one behind the other, to a place of a file. */
export async function writeAt(file: FileHandle, chunks: readonly Buffer[], position: number): Promise<void> {
  let at = position;
  let rest = chunks.filter((chunk) => chunk.length > 0);
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    rest = behind(rest, bytesWritten);
  }
}

/** What is left of `chunks` behind their first `bytes` bytes. */
function behind(chunks: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  const rest: Buffer[] = [];
  for (const chunk of chunks) {
    if (skip >= chunk.length) skip -= chunk.length;
    else {
      rest.push(skip === 0 ? chunk : chunk.subarray(skip));
      skip = 0;
    }
  }
  return rest;
}
