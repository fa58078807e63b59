/** A pull failed; the message says what was asked, and what came instead. */
export class PullError extends Error {
  override readonly name = 'PullError';
}
