import { open } from 'node:fs/promises';
import { hasCode } from './files/errno';
import { type Report, refusals, reportLines, terminationMessage } from './report';

/** Where the outcome of a mode goes. */
export interface Outlets {
  readonly json: boolean;
  readonly terminationLog: string;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

/** Writes a line to a file that is there; makes none. */
async function writeLine(path: string, line: string): Promise<void> {
  try {
    const file = await open(path, 'r+');
    try {
      if (!(await file.stat()).isFile()) return;
      await file.truncate();
      await file.write(`${line}\n`, 0);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'EROFS', 'ENXIO')) throw error;
  }
}

/** Tells the outcome: on standard output and error, and as a termination message. */
export async function deliver(report: Report, outlets: Outlets): Promise<void> {
  const { json, stdout, stderr } = outlets;
  if (json) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else for (const line of reportLines(report)) stdout.write(`${line}\n`);
  for (const reason of refusals(report)) stderr.write(`node-mirror: ${reason}\n`);
  await writeLine(outlets.terminationLog, terminationMessage(report));
}
