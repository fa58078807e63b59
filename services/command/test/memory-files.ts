import type { ReadFile } from '../src';

/** Reads files from a table; what is not in it fails with ENOENT, what is an error code there fails with it. */
export function memoryFiles(files: Readonly<Record<string, string | { readonly code: string }>> = {}): ReadFile {
  return (path) => {
    const content = files[path] ?? { code: 'ENOENT' };
    if (typeof content === 'string') return content;
    throw Object.assign(new Error(`${content.code}: ${path}`), { code: content.code });
  };
}
