/** Something that runs until it is stopped. `stop` may be called once; it resolves when all of it has ended. */
export interface Closeable {
  stop(): Promise<void>;
}

/** Some parts could not be stopped cleanly; `errors` has one error a part. */
export class StopError extends AggregateError {
  override readonly name = 'StopError';

  constructor(errors: readonly Error[]) {
    super(errors, errors.map(({ message }) => message).join('; '));
  }
}

/** The parts of a running process, in the order of their start. */
export class Lifecycle implements Closeable {
  readonly #parts: { readonly what: string; readonly part: Closeable }[] = [];
  #stopping: Promise<void> | undefined;

  /** The parts that have not ended, first started first. */
  get parts(): readonly string[] {
    return this.#parts.map(({ what }) => what);
  }

  /**
   * Takes a part that has started, to stop it before all those added earlier. While `stop` is at work it is stopped next;
   * after that, by another `stop`.
   * @param what What it is, for messages, such as `the mirror`.
   */
  add<Part extends Closeable>(what: string, part: Part): Part {
    this.#parts.push({ what, part });
    return part;
  }

  /**
   * Stops the parts one after the other, last started first, each of them even if others fail.
   * @throws StopError when parts failed to stop.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    const errors: Error[] = [];
    for (let last = this.#parts.at(-1); last; last = this.#parts.at(-1)) {
      try {
        await last.part.stop();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        errors.push(new Error(`${last.what} did not stop cleanly: ${reason}`, { cause: error }));
      }
      this.#parts.splice(this.#parts.indexOf(last), 1);
    }
    if (errors.length > 0) throw new StopError(errors);
  }
}
