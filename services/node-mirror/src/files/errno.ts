import { Refusal } from '../refusal';

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  const said = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
  return said === '' ? String(error) : said;
}

/** Whether an error is the system's with one of these codes, such as `ENOENT`. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error) ?? '');
}

const REASONS: Readonly<Record<string, string>> = {
  EBUSY: 'it is mounted by itself, so that it cannot be replaced in one step: mount its folder instead of the file',
  EROFS: 'its file system is read-only: mount it writable',
  EACCES: 'permission denied: run as root',
  EPERM: 'the system does not permit it: run as root, and look for an immutable attribute (lsattr)',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its path has a loop of symbolic links',
  ENOSPC: 'no space is left on its file system',
};

/** A system error while something of the node was read, as a refusal that says what to do; any other error as it is. */
export function readRefusal(path: string, error: unknown): Error {
  if (error instanceof Refusal || codeOf(error) === undefined)
    return error instanceof Error ? error : new Error(reasonOf(error));
  return new Refusal(`${path} cannot be read: ${REASONS[codeOf(error) ?? ''] ?? reasonOf(error)}`, { cause: error });
}

/** A system error while a file of the node was written, as a refusal that says what to do; any other error as it is. */
export function writeRefusal(path: string, error: unknown): Error {
  const code = codeOf(error);
  if (code === undefined || error instanceof Refusal)
    return error instanceof Error ? error : new Error(reasonOf(error));
  return new Refusal(`${path} cannot be written: ${REASONS[code] ?? reasonOf(error)}`, { cause: error });
}
