/**
 * A signal that aborts with the first of several, until {@link FirstOf.end}. One made by `AbortSignal.any` leaves a little memory behind in each of its
 * parts, and parts that live as long as the process are combined anew for each request.
 */
export class FirstOf {
  private readonly controller = new AbortController();
  private readonly parts: readonly AbortSignal[];
  private readonly abort = (): void => this.controller.abort(this.parts.find(({ aborted }) => aborted)?.reason);

  /** @param parts undefined ones count for none. */
  constructor(...parts: readonly (AbortSignal | undefined)[]) {
    this.parts = parts.filter((part) => part !== undefined);
    for (const part of this.parts) part.addEventListener('abort', this.abort);
    if (this.parts.some(({ aborted }) => aborted)) this.abort();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** It aborts no more. */
  end(): void {
    for (const part of this.parts) part.removeEventListener('abort', this.abort);
  }
}
