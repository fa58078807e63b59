/** The least important log lines that a daemon writes. */
export enum LogLevel {
  /** What failed. */
  ERROR = 'error',
  /** What an operator should look at, too. */
  WARN = 'warn',
  /** What happened, too: a line a pull. */
  INFO = 'info',
  /** A line a request, too. */
  DEBUG = 'debug',
}
