import type { HostCommands } from '../host-commands';
import { Refusal } from '../refusal';

const LIMIT_MS = 10_000;

/** A command line without a flag and its value, in both forms. */
function withoutFlag(args: readonly string[], flag: string): readonly string[] {
  return args.filter((arg, index) => arg !== flag && !arg.startsWith(`${flag}=`) && args[index - 1] !== flag);
}

/**
 * Lets dockerd (23 and later) check a file, together with its own flags: some conflicts show only then. Where its program cannot be
 * run from here (a container without privileges) that is left to the reload, whose outcome is read back anyway.
 *
 * @param executable the program of the running dockerd, as the node knows it
 * @param args the command line of the running dockerd, its name first
 * @throws Refusal with dockerd's reason
 */
export async function validateWithDockerd(
  commands: HostCommands,
  executable: string,
  args: readonly string[],
  candidate: string,
): Promise<void> {
  const flags = withoutFlag(args.slice(1), '--config-file');
  const file = commands.onHost(candidate);
  const { ok, said, ran } = await commands.run([executable, ...flags, '--validate', '--config-file', file], LIMIT_MS);
  if (ok || !ran) return;
  throw new Refusal(`dockerd would not start with the new configuration: ${said.replaceAll(file, 'the file')}`);
}
