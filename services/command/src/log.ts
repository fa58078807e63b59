import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { withoutSecretFields } from './secrets';

/** What a log line can weigh, in the order of weight; `silent` writes none. */
export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** Structured logs: `log.info({ blob }, 'joined')`. An error goes into the field `err`. */
export type Log = Logger;

/** Where text is written: any stream has this. */
export type TextOutput = DestinationStream;

/**
 * A log of JSON lines: `level` (a word), `time` (RFC 3339), `name`, the fields, `msg`. Fields such as authorization, cookie or token,
 * credentials in URLs and Bearer or Basic values are censored wherever they stand.
 * @param level The least important lines to write.
 * @param name The command.
 * @param output Default: standard error.
 */
export function createLog(level: LogLevel, name: string, output: TextOutput = process.stderr): Log {
  return pino(
    {
      level,
      base: { name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: censor },
    },
    output,
  );
}

/** Censors the finished line, so that nothing escapes: fields of children, messages, causes and stacks of errors. */
function censor(line: string): string {
  const fields: unknown = JSON.parse(line);
  return `${JSON.stringify(withoutSecretFields(fields))}\n`;
}
