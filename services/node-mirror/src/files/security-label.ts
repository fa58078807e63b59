import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { Refusal } from '../refusal';
import { hasCode } from './errno';

/** Is there while the kernel has SELinux. */
const SELINUX = '/sys/fs/selinux/enforce';
const LIMIT_MS = 10_000;

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return false;
    throw error;
  }
}

/**
 * Gives a file the SELinux label of another one, where the kernel has SELinux and that one is there: without it a confined
 * runtime may not read the file.
 *
 * @param places the file that is there when it has, and the program to call; others in tests
 * @throws Refusal when that cannot be done
 */
export async function copyLabel(
  from: string,
  to: string,
  { mark = SELINUX, chcon = 'chcon' }: { readonly mark?: string; readonly chcon?: string } = {},
): Promise<void> {
  if (!(await isThere(mark)) || !(await isThere(from))) return;
  const failure = await new Promise<string | undefined>((resolve) => {
    execFile(chcon, [`--reference=${from}`, to], { timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error, _, stderr) => {
      resolve(error === null ? undefined : `${stderr.trim()} (${error.message.split('\n')[0] ?? ''})`);
    });
  });
  if (failure !== undefined) {
    throw new Refusal(
      `the SELinux label of ${from} cannot be given to its new content: ${failure}; nothing was changed`,
    );
  }
}
