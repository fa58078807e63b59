/** Aborts when nothing has moved for some time, with a `TimeoutError`. */
export class Stall {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  /** @param ms how long nothing may move, in milliseconds. */
  constructor(ms: number) {
    this.timer = setTimeout(() => {
      this.controller.abort(new DOMException(`nothing moved for ${ms} ms`, 'TimeoutError'));
    }, ms);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Something moved: the time begins anew. */
  moved(): void {
    this.timer.refresh();
  }

  /** It is not needed any more. */
  end(): void {
    clearTimeout(this.timer);
  }
}
