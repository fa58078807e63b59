import { readFileSync } from 'node:fs';
import { UsageError } from './errors';

/** Reads a whole text file. Throws as `fs.readFileSync` does: an Error with a `code`. */
export type ReadFile = (path: string) => string;

/** The real one: UTF-8. */
export const readTextFile: ReadFile = (path) => readFileSync(path, 'utf8');

/**
 * A file that a setting names.
 * @param where Who named it, for the message (`--config`); undefined when it is the default, which may be missing.
 * @returns Its text; undefined when the default file is missing.
 * @throws UsageError when a named file is missing, or any cannot be read.
 */
export function readNamedFile(path: string, where: string | undefined, readFile: ReadFile): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    if (isMissing && where === undefined) return undefined;
    const named = where === undefined ? path : `${path}, named by ${where},`;
    throw new UsageError(isMissing ? `${named} does not exist` : `${named} cannot be read: ${reasonOf(code)}`);
  }
}

function reasonOf(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  return code === 'EISDIR' ? 'it is a folder' : code;
}

/** The `code` of a system error, such as `ENOENT`; undefined for any other value. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
