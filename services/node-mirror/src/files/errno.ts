import { Refusal } from '../refusal';

/** Whether an error is the system's with one of these codes, such as `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: 'it is mounted by itself, so that it cannot be replaced in one step: mount its folder instead of the file',
  EROFS: 'its file system is read-only: mount it writable',
  EACCES: 'permission denied: run as root',
  EPERM: 'the system does not permit it: run as root, and look for an immutable attribute (lsattr)',
  ENOSPC: 'no space is left on its file system',
};

/** A system error while a file of the node was written, as a refusal that says what to do. */
export function writeRefusal(path: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new Refusal(`${path} cannot be written: ${REASONS[code] ?? String(error)}`, { cause: error });
}
