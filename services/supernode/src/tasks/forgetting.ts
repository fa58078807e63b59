import type { Closeable } from '@cdk8s-dragonfly/command';

/** How often it is looked for what can be forgotten, in ms. */
const EVERY = 15_000;

/** What is forgotten after a time without use. */
export interface Forgetful {
  forgetIdle(): void;
}

/** Lets what nobody uses any more be forgotten, again and again. */
export class Forgetting implements Closeable {
  private readonly running: NodeJS.Timeout;

  /** @param parts in their order: what makes use of a part stands before it. */
  constructor(...parts: readonly Forgetful[]) {
    this.running = setInterval(() => {
      for (const part of parts) part.forgetIdle();
    }, EVERY);
    this.running.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.running);
    return Promise.resolve();
  }
}
