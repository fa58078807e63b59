/** A peer or supernode did not give what was asked; the message says what happened. */
export class LinkFailure extends Error {
  override readonly name = 'LinkFailure';

  constructor(
    /**
     * `gone`: no connection, or a broken one; `silent`: connected, and nothing came in time; `missing`: it does not have the block; `lying`:
     * it sent what it should not; `busy`: it gives to others first; `hung`: connected, and its process does not run; `outdated`: what it has is of
     * another edition of a blob that is named by its URL.
     */
    readonly kind: 'gone' | 'silent' | 'missing' | 'lying' | 'busy' | 'hung' | 'outdated',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Any error of a request to a peer as a {@link LinkFailure}; one that is already is left as it is. */
export function linkFailure(error: unknown, where: string): LinkFailure {
  if (error instanceof LinkFailure) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LinkFailure(isSilence(error) ? 'silent' : 'gone', `${where}: ${reason}`, { cause: error });
}

/** Whether a connection was there, and no answer came over it. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT';
}
