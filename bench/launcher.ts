import { readFileSync } from 'node:fs';

/**
 * A command as its users start it: what stands in its first line counts.
 *
 * @param launcher the path of the command's file.
 * @param nodeArguments arguments of Node.js beside those. Default: none.
 */
export function commandLine(launcher: string, nodeArguments: readonly string[] = []): [string, ...string[]] {
  if (nodeArguments.length === 0) return [launcher];
  const [, given = ''] = /^#!\S+(?: -S)? node(.*)/.exec(readFileSync(launcher, 'utf8')) ?? [];
  return [process.execPath, ...given.split(' ').filter((argument) => argument !== ''), ...nodeArguments, launcher];
}
