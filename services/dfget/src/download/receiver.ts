import { createHash } from 'node:crypto';

import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import type { OpenBlob, SwarmNode } from '@cdk8s-dragonfly/engine';

import type { FileOrder } from './file-order';
import type { Standing } from './progress';

/** So often a file is begun anew that is replaced while it is fetched. */
const MOST_TRIES = 4;

/** Has a node get the whole of a blob, with the digests that the user wants. */
export class Receiver {
  /** @param checkRoom throws when a file of so many bytes does not fit where it shall be put. */
  constructor(
    private readonly node: SwarmNode,
    private readonly order: FileOrder,
    private readonly tell: (news: Partial<Standing>) => void,
    private readonly checkRoom: (size: number) => Promise<void>,
  ) {}

  /**
   * Gets all of it. What an earlier run left and turned out to be of other content is thrown away, as is what came before the origin replaced the
   * file, and all of it fetched.
   *
   * @throws BlobUnavailable; the signal's reason when it aborts.
   */
  async whole(signal: AbortSignal): Promise<{ readonly length: number; readonly resumed: number }> {
    const { node, order } = this;
    const { blob } = order.request;
    for (let tries = 1; ; tries += 1) {
      const left = await node.heldBytes(blob);
      try {
        return await this.once(signal);
      } catch (error) {
        if (!(error instanceof BlobUnavailable) || tries === MOST_TRIES) throw error;
        const isThrownAway = error.reason === 'changed' || (left > 0 && (await node.heldBytes(blob)) === 0);
        if (!isThrownAway) throw error;
        this.tell({ size: undefined, resumed: 0 });
      }
    }
  }

  private async once(signal: AbortSignal): Promise<{ readonly length: number; readonly resumed: number }> {
    const { node, order, tell } = this;
    const open = await node.open(order.request, signal);
    try {
      tell({ size: open.size, resumed: open.resumed ?? 0 });
      // Not after hours, when it is put in place.
      if (open.size !== undefined) await this.checkRoom(open.size);
      const length =
        order.md5 === undefined ? await untilWhole(open, signal) : await this.checkMd5(open, order.md5, signal);
      const { resumed = 0 } = open;
      tell({ size: length, resumed });
      return { length, resumed };
    } finally {
      open.release();
    }
  }

  private async checkMd5(open: OpenBlob, expected: string, signal: AbortSignal): Promise<number> {
    const whole = createHash('md5');
    let length = 0;
    for await (const chunk of open.read({ from: 0 }, signal)) {
      whole.update(chunk);
      length += chunk.length;
    }
    const md5 = whole.digest('hex');
    if (md5 === expected) return length;
    await this.node.remove(this.order.request.blob);
    throw new BlobUnavailable(
      'digest-mismatch',
      `the ${length} bytes of ${this.order.request.blob} have the MD5 ${md5}, not ${expected}; they were thrown away`,
    );
  }
}

/** @returns the length. */
async function untilWhole(open: OpenBlob, signal: AbortSignal): Promise<number> {
  // Behind its end there is nothing to read, and that is known when the digest is.
  let length = open.size ?? 0;
  for await (const chunk of open.read({ from: length }, signal)) length += chunk.length;
  return length;
}
