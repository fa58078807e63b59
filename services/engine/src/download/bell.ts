/** Wakes those who wait for something to have changed; what changed they look up themselves. */
export class Bell {
  private waiting = new Set<() => void>();

  ring(): void {
    const { waiting } = this;
    this.waiting = new Set();
    for (const wake of waiting) wake();
  }

  /**
   * Resolves at the next ring.
   *
   * @throws the signal's reason when it aborts first.
   */
  async next(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.waiting.delete(wake);
        reject(signal.reason as Error);
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
