import { createHash } from 'node:crypto';
import { lstat, readFile, stat } from 'node:fs/promises';
import { Refusal } from '../refusal';
import { hasCode, readRefusal } from './errno';

/** A configuration file is a few kilobytes; more than 1 MiB is something else. */
const MAX_BYTES = 1024 * 1024;

/** Who may do what with a file. */
export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file as it was at one moment; `bytes` and `ownership` are absent when there is none. */
export interface Snapshot {
  readonly bytes?: Buffer;
  readonly ownership?: Ownership;
}

/** SHA-256 in hex; `missing` for no file. */
export function fingerprint(bytes: Buffer | undefined): string {
  return bytes === undefined ? 'missing' : createHash('sha256').update(bytes).digest('hex');
}

/** Whether both are the same bytes, or both no file. */
export function sameContent(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}

/**
 * Reads a file with its mode and owner.
 *
 * @param path resolved: no link
 * @throws Refusal when it is no regular file, or larger than 1 MiB
 */
export async function takeSnapshot(path: string): Promise<Snapshot> {
  try {
    const stat = await lstat(path);
    if (!stat.isFile()) throw new Refusal(`${path} is no regular file: node-mirror leaves it alone`);
    if (stat.size > MAX_BYTES)
      throw new Refusal(`${path} has ${stat.size} bytes, more than the 1 MiB that a configuration file may have`);
    const bytes = await readFile(path);
    return { bytes, ownership: { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid } };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return {};
    throw readRefusal(path, error);
  }
}

/** Whether a file was last written before a moment, in milliseconds since 1970; one that is not there was. @throws Refusal when that cannot be told */
export async function writtenBefore(path: string, moment: number): Promise<boolean> {
  try {
    return (await stat(path)).mtimeMs < moment;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return true;
    throw readRefusal(path, error);
  }
}
