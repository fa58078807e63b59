/** So many requests are begun in a turn of the event loop. */
const REQUESTS_A_TURN = 64;

/**
 * Lets timers run however many clients ask at once. With more than 1,024 sockets that have something to read, the event loop of Node.js reads
 * up to 48 times as many before it looks at its timers: pings to daemons would come seconds late. What comes beyond
 * {@link REQUESTS_A_TURN} waits for the next turn, in its order; its client waits with it, and sends nothing more meanwhile.
 */
export class RequestTurns {
  private waiting: (() => void)[] = [];
  private begun = 0;
  private turning = false;

  /** Calls `begin` now, or in a turn to come. */
  take(begin: () => void): void {
    if (!this.turning) {
      this.turning = true;
      setImmediate(this.next);
    }
    if (this.begun >= REQUESTS_A_TURN || this.waiting.length > 0) {
      this.waiting.push(begin);
      return;
    }
    this.begun += 1;
    begin();
  }

  private readonly next = (): void => {
    const now = this.waiting.splice(0, REQUESTS_A_TURN);
    this.begun = now.length;
    this.turning = now.length > 0;
    if (this.turning) setImmediate(this.next);
    for (const begin of now) begin();
  };
}
