import { DamagedBlock } from '@cdk8s-dragonfly/store';
import type { LentBlock } from '@cdk8s-dragonfly/store';

import type { Passing } from '../node/blob-request';
import type { Traffic } from '../node/traffic';
import type { Download } from './download';

/** What part of a blob to read: from `from` (inclusive) to `end` (exclusive; default the end of the blob). */
export interface ReadRange {
  readonly from: number;
  readonly end?: number;
  readonly passing?: Passing | undefined;
}

/**
 * A blob's bytes in order as they arrive. The last block is held back until the digest of the whole is known to be right. When this
 * node's disk cannot take it, they go on straight from the origin.
 *
 * @param local counts what was here, whole, from the beginning; undefined when it was not.
 * @throws BlobUnavailable when the download fails; the signal's reason when it aborts.
 */
export async function* readBlob(
  download: Download,
  { from, end = Infinity, passing = 'kept' }: ReadRange,
  signal: AbortSignal,
  local: Traffic | undefined,
): AsyncGenerator<Buffer> {
  const reader = {};
  let at = from;
  try {
    for (;;) {
      const block = await nextBlock(download, reader, { at, end, passing }, signal);
      if (block === undefined) return;
      if (block === 'unstorable') {
        yield* download.passThrough({ from: at, end }, signal);
        return;
      }
      const { bytes, offset, done } = block;
      // Nobody takes it any more, nor ends this.
      if (signal.aborted) done();
      signal.throwIfAborted();
      const part = bytes.subarray(at - offset, Math.min(bytes.length, end - offset));
      at += part.length;
      if (local !== undefined) local.local += part.length;
      yield part;
      // Who goes away in the middle may still be sending it: then it is left alone.
      done();
    }
  } finally {
    download.removeCursor(reader);
  }
}

/** The block that holds byte `at`, once it may leave; undefined at the end; `unstorable` when it must go past this node's disk. */
async function nextBlock(
  download: Download,
  reader: object,
  { at, end, passing }: { readonly at: number; readonly end: number; readonly passing: Passing },
  signal: AbortSignal,
): Promise<(LentBlock & { readonly offset: number }) | 'unstorable' | undefined> {
  for (;;) {
    if (download.goesPastDisk) return 'unstorable';
    if (download.failure !== undefined) throw download.failure;
    const { stored } = download;
    if (stored !== undefined) {
      if (at >= end) return undefined;
      // That nothing follows is part of the content too, and not certain before the digest is.
      if (stored.size !== undefined && at >= stored.size && download.verified) return undefined;
      const index = stored.grid.blockAt(at);
      download.moveCursor(reader, index, at);
      const sip = download.takeSip(reader, at);
      if (sip !== undefined) return { bytes: sip, done: () => undefined, offset: at };
      // While the end is not known, the last block that is here could be the last of all.
      const isLast =
        stored.size === undefined ? stored.held.last <= index : index === stored.grid.blockCount(stored.size) - 1;
      if (stored.held.has(index) && (!isLast || download.verified) && download.mayLeave(stored, index)) {
        try {
          const { offset } = stored.grid.span(index);
          if (passing === 'lent') return { ...(await stored.lend(index)), offset };
          return { bytes: await stored.read(index), done: () => undefined, offset };
        } catch (error) {
          if (!(error instanceof DamagedBlock)) throw error;
          download.repair();
          continue;
        }
      }
    }
    await download.bell.next(signal);
  }
}
