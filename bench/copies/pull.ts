import { createHash } from 'node:crypto';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** A pull that takes longer than this, in ms, has failed. */
const LIMIT = 120_000;

/** How a blob came to a runtime. Times are in ms. */
export interface Pull {
  readonly ms: number;
  /** The longest time without a byte since {@link Puller.watch} was called; since the begin if it was not. */
  readonly longestGap: number;
  /** What went wrong; undefined: every byte is right. */
  readonly failure: string | undefined;
}

/** A runtime that pulls one blob through its mirror, once. */
export class Puller {
  received = 0;
  private last = performance.now();
  private longest = 0;

  /** From now on gaps count. */
  watch(): void {
    this.longest = 0;
    this.last = performance.now();
  }

  /** Never rejects: nothing is tried twice, and a failure is told. @param onBytes after each part of the body */
  async pull(port: number, path: string, digest: string, onBytes: () => void): Promise<Pull> {
    const began = performance.now();
    this.watch();
    const hash = createHash('sha256');
    let failure: string | undefined;
    try {
      for await (const chunk of await open(port, path)) {
        const now = performance.now();
        this.longest = Math.max(this.longest, now - this.last);
        this.last = now;
        this.received += (chunk as Buffer).length;
        hash.update(chunk as Buffer);
        onBytes();
      }
      const got = `sha256:${hash.digest('hex')}`;
      if (got !== digest) failure = `the bytes have the digest ${got}`;
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
    }
    return { ms: performance.now() - began, longestGap: this.longest, failure };
  }
}

async function open(port: number, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': `runtime at ${port}` };
    const asked = request({ host: '127.0.0.1', port, path, headers, timeout: LIMIT, agent: false }, (answer) => {
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`the mirror answered ${answer.statusCode}`));
    });
    asked.on('timeout', () => asked.destroy(new Error(`nothing came in ${LIMIT} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}
