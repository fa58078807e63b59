/** A wrong flag, argument, environment variable or configuration key. The message is one line for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure with a known cause: the command ends with this one line, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** The exit code of the command, 1 to 255. */
  readonly exitCode: number;

  /**
   * @param message What happened and what to do, one sentence without a full stop.
   * @param exitCode 1 to 255. Default 1.
   */
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
