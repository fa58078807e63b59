import { Throttle } from '@cdk8s-dragonfly/origin';
import { BLOCK_SIZE } from '@cdk8s-dragonfly/protocol';

/** So many bytes at a time pass: all who are served go on at the same pace. */
const SLICE = 64 * 1024;

/** What neighbours together may take of a node. */
export class UploadLimit {
  private readonly throttle: Throttle;

  /** @param rate bytes a second, above 0 */
  constructor(private readonly rate: number) {
    this.throttle = new Throttle(rate);
  }

  /** How many may be served at a time: each gets its next bytes within a second. */
  get atOnce(): number {
    return Math.max(1, Math.floor(this.rate / SLICE));
  }

  /** How long, in milliseconds, a block may take when all are served at once: four times as long as the limit makes it. */
  get patience(): number {
    return Math.max(10_000, (4000 * BLOCK_SIZE * this.atOnce) / this.rate);
  }

  /** The bytes, no faster than the limit allows. @throws the signal's reason when it aborts. */
  async *paced(bytes: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += SLICE) {
      const slice = bytes.subarray(at, at + SLICE);
      await this.throttle.pass(slice.length, signal);
      yield slice;
    }
  }
}
