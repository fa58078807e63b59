import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError } from '@cdk8s-dragonfly/command';

/**
 * Where a download shall end up.
 *
 * @param output `--output`; undefined: the last part of the URL's path, in the current folder.
 * @throws UsageError when there is no name to take, or a folder stands there.
 */
export async function outputPath(output: string | undefined, url: URL): Promise<string> {
  const name = output ?? decodeURIComponent(basename(url.pathname));
  if (name === '' || name.includes('\0')) {
    throw new UsageError(`--output is needed: ${url.origin}${url.pathname} has no file name at its end`);
  }
  if (output === undefined && (name.includes('/') || name === '..')) {
    throw new UsageError(`--output is needed: ${JSON.stringify(name)} at the end of the URL is no file name`);
  }
  const path = resolve(name);
  const there = await stat(path).catch((error: unknown) => {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    throw new UsageError(`--output ${path} cannot be written: ${code ?? String(error)}; name another file`);
  });
  if (there?.isDirectory() === true) throw new UsageError(`--output ${path} is a folder; name a file`);
  return path;
}

/**
 * Writes `bytes` beside `path` under a temporary name, and gives the file its name when all of it is on disk. On an error nothing
 * is left, and what stood at `path` before still stands there.
 *
 * @returns how many bytes were written.
 */
export async function writeWhole(path: string, bytes: AsyncIterable<Buffer>): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    const length = await write(temporary, bytes);
    await rename(temporary, path);
    return length;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function write(path: string, bytes: AsyncIterable<Buffer>): Promise<number> {
  await rm(path, { force: true });
  const file = await open(path, 'wx', 0o644);
  try {
    let length = 0;
    for await (const chunk of bytes) {
      await file.writeFile(chunk);
      length += chunk.length;
    }
    await file.sync();
    return length;
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
