import { createHash } from 'node:crypto';
import { chmod, lstat, open, readlink, realpath, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { UsageError, formatBytes } from '@cdk8s-dragonfly/command';
import { makeFolder } from '@cdk8s-dragonfly/store';

/** Characters of a file's name that are repeated in the names of what stands beside it: file systems take 255 bytes. */
const REPEATED = 50;

/** As many links in a row as Linux follows. */
const MOST_LINKS = 40;

/**
 * Where a download shall end up.
 *
 * @param output `--output`; undefined: the last part of the URL's path, in the current folder.
 * @throws UsageError when there is no name to take, something else than a file stands there, or the way leads to `/dev` or `/proc`.
 */
export async function outputPath(output: string | undefined, url: URL): Promise<string> {
  const name = output ?? lastPart(url);
  if (output === '-')
    throw new UsageError('--output - is no stream here; name a file, such as ./- if that is its name');
  if (name === '' || name.includes('\0')) {
    throw new UsageError(`--output is needed: ${url.origin}${url.pathname} has no file name at its end`);
  }
  if (output === undefined && (name.includes('/') || name === '..' || name === '.')) {
    throw new UsageError(`--output is needed: ${JSON.stringify(name)} at the end of the URL is no file name`);
  }
  const path = resolve(name);
  const device = await deviceOf(path);
  if (device !== undefined) {
    const what = device === path ? 'is no file on a disk' : `leads to ${device}, which is no file on a disk`;
    throw new UsageError(
      `--output ${path} ${what}, and dfget writes no streams; name a file, and read it when dfget is done`,
    );
  }
  const there = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new UsageError(`--output ${path} cannot be written: ${why(error)}; name another file`);
  });
  if (there?.isDirectory() === true || (there === undefined && /\/\.?$/.test(name))) {
    throw new UsageError(`--output ${path} is a folder; name a file`);
  }
  if (there?.isFile() === false) {
    throw new UsageError(`--output ${path} is a device, pipe or socket; name a file`);
  }
  return path;
}

/**
 * Where below `/dev` or `/proc` a path is or leads to, through however many links: a rename would replace the link for all, and a link
 * there to an open file looks like a file. Undefined: nowhere there. Shared memory, `/dev/shm`, has files as any folder.
 */
async function deviceOf(path: string): Promise<string | undefined> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    if (isDevice(at)) return at;
    const folder = await realpath(dirname(at)).catch(() => undefined);
    if (folder === undefined) return undefined;
    at = join(folder, basename(at));
    if (isDevice(at)) return at;
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) return undefined;
    at = resolve(folder, target);
  }
  return undefined;
}

function isDevice(path: string): boolean {
  return /^\/(dev|proc)(\/|$)/.test(path) && !/^\/dev\/shm(\/|$)/.test(path);
}

function lastPart(url: URL): string {
  const name = basename(url.pathname);
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}

/** The folder in which a download is in transit until it is whole: the same for the same order, so that the next run finds it. */
export class Transit {
  private constructor(
    readonly folder: string,
    /** What is whole has this name before that of the output: what a killed run left there, perhaps a part of a copy, is not for long. */
    readonly beside: string,
  ) {}

  /**
   * @param home `--home`; undefined: beside the output, so that the data has to be renamed only.
   * @param identity tells one order from another with the same output.
   * @throws UsageError when it cannot be made, or somebody else has made it.
   */
  static async make(path: string, home: string | undefined, identity: string): Promise<Transit> {
    const root = home === undefined ? dirname(path) : resolve(home);
    // Who has the folder has the name beside the output, too.
    const hash = createHash('sha256').update(`${path}\n${root}\n${identity}`).digest('hex').slice(0, 12);
    const name = `.${shortName(path)}.${hash}`;
    const transit = new Transit(join(root, `${name}.dfget`), join(dirname(path), `${name}.new`));
    try {
      await makeFolder(dirname(path), 0o777);
      await makeFolder(transit.folder);
    } catch (error) {
      const where = home === undefined ? `--output ${path}` : `--output ${path} or --home ${root}`;
      throw new UsageError(`${where} cannot be written: ${why(error)}; name another`, { cause: error });
    }
    const facts = await lstat(transit.folder);
    if (!facts.isDirectory() || facts.uid !== process.getuid?.()) {
      throw new UsageError(`${transit.folder} was made by somebody else; remove it, or choose another --home`);
    }
    return transit;
  }

  /**
   * Looks whether a file fits beside what shall have its name, when it has to be copied there from another disk.
   *
   * @param size of the whole file, in bytes.
   * @throws Error, one sentence, with the code `ENOSPC`.
   */
  async checkRoom(size: number): Promise<void> {
    const there = dirname(this.beside);
    const [from, to] = await Promise.all([stat(this.folder), stat(there)]);
    if (from.dev === to.dev) return;
    // What a killed run left of its copy is in the way of nothing.
    await rm(this.beside, { force: true });
    const { bavail, bsize } = await statfs(there);
    if (bavail * bsize >= size) return;
    throw Object.assign(
      new Error(
        `the file of ${formatBytes(size)} does not fit: ${formatBytes(bavail * bsize)} are free in ${there}, where it is copied from --home; make room, or choose another --output`,
      ),
      { code: 'ENOSPC' },
    );
  }

  /** Removes it if it holds nothing; to be called when a store was opened there and stopped again. */
  async removeEmpty(): Promise<void> {
    for (const folder of [join(this.folder, 'blobs'), this.folder]) await rmdir(folder).catch(() => undefined);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Puts a whole file under its name at once: until then what stood there stands there, and afterwards nothing else is left.
 *
 * @param temporary a name in the same folder that is nobody else's; what stands there goes.
 * @param giveName makes the data appear under a name that does not exist yet.
 * @throws Error, one sentence, with the system's error as its cause.
 */
export async function putInPlace(
  path: string,
  temporary: string,
  giveName: (path: string) => Promise<void>,
): Promise<void> {
  await rm(temporary, { force: true });
  try {
    const mode = await modeOfNewFiles(temporary);
    await giveName(temporary);
    await chmod(temporary, mode);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`${path} cannot be written: ${why(error)}; make room there, or choose another --output`, {
      cause: error,
    });
  }
}

/** The mode that files have here by the umask and the folder's own rules. */
async function modeOfNewFiles(path: string): Promise<number> {
  const file = await open(path, 'wx', 0o666);
  try {
    return (await file.stat()).mode & 0o7777;
  } finally {
    await file.close();
    await rm(path);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function shortName(path: string): string {
  return Array.from(basename(path)).slice(0, REPEATED).join('');
}

function why(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOSPC') return 'the disk is full';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'what should be a folder there is a file';
  if (code === 'ENAMETOOLONG') return 'its name is too long';
  if (code === 'ELOOP') return 'the link leads to itself';
  return code ?? String(error);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
