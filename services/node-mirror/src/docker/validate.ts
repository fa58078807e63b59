import { execFile } from 'node:child_process';
import { Refusal } from '../refusal';

const LIMIT_MS = 10_000;

/** A command line without a flag and its value, in both forms. */
function withoutFlag(args: readonly string[], flag: string): readonly string[] {
  return args.filter((arg, index) => arg !== flag && !arg.startsWith(`${flag}=`) && args[index - 1] !== flag);
}

/** What a command wrote, as one line; `undefined` for nothing. */
function said(...outputs: readonly string[]): string | undefined {
  const words = outputs.join(' ').trim().replace(/\s+/g, ' ');
  return words === '' ? undefined : words;
}

/**
 * Lets dockerd (23 and later) check a file, together with its own flags: some conflicts show only then.
 *
 * @param executable the program of the running dockerd
 * @param args the command line of the running dockerd, its name first
 * @throws Refusal with dockerd's reason
 */
export async function validateWithDockerd(
  executable: string,
  args: readonly string[],
  candidate: string,
): Promise<void> {
  const flags = withoutFlag(args.slice(1), '--config-file');
  const reason = await new Promise<string | undefined>((resolve) => {
    execFile(
      executable,
      [...flags, '--validate', '--config-file', candidate],
      { timeout: LIMIT_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => resolve(error === null ? undefined : (said(stderr, stdout) ?? error.message)),
    );
  });
  if (reason !== undefined) {
    throw new Refusal(
      `dockerd would not start with the new configuration: ${reason.replaceAll(candidate, 'the file')}`,
    );
  }
}
