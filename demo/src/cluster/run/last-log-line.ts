import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** As much of a log's end as is looked at, in bytes. */
const TAIL = 64 * 1024;

/** The last line of a process's output that tells a reason: an error or warning of its JSON log, or any line that is none. */
export function lastTellingLine(path: string): string | undefined {
  const lines = tailOf(path).split('\n');
  return lines
    .reverse()
    .map(tellingText)
    .find((text) => text !== undefined);
}

function tellingText(line: string): string | undefined {
  if (line.trim() === '' || isOfStackTrace(line)) return undefined;
  if (!line.startsWith('{')) return line.replace(/^(supernode|dfdaemon): /, '');
  const match = /"level":"(?:warn|error|fatal)"/.exec(line);
  if (!match) return undefined;
  const message = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  const cause = /"message":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return cause === undefined ? message : `${message ?? ''}: ${cause}`;
}

/** What Node.js writes around the message of an error that nobody caught. */
function isOfStackTrace(line: string): boolean {
  return /^(?:\s|[}\]]|Node\.js v\d)/.test(line);
}

function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, TAIL));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString();
  } finally {
    closeSync(file);
  }
}
