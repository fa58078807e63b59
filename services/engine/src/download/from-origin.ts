import { fetchFrom } from '@cdk8s-dragonfly/origin';
import type { OriginClient } from '@cdk8s-dragonfly/origin';
import { isDigest } from '@cdk8s-dragonfly/protocol';
import { assembleBlocks } from '@cdk8s-dragonfly/store';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { BlobRequest } from '../node/blob-request';

/** When so many blocks that follow are here already, the connection is given up and the next gap is looked for. */
const SKIP = 8;

/** What a fetch from the origin needs of its download. */
export interface OriginGap {
  readonly request: BlobRequest;
  /** The first block to fetch; 0 while nothing is stored. */
  readonly first: number;
  readonly stored: StoredBlob | undefined;
  /** The origin has answered, and tells the size of the whole: gives the stored blob, a new one when there was none. */
  begin(size: number | undefined): Promise<StoredBlob>;
  /** A block of so many bytes was written. */
  wrote(bytes: number): void;
}

/**
 * Fetches straight from the origin, from block `first` on, until the end or until what follows is here already. Its blocks have no
 * attestation: they are not given to peers, and only the digest of the whole shows that they are right.
 *
 * @throws OriginError; the signal's reason when it aborts.
 */
export async function fetchGap(gap: OriginGap, origin: Pick<OriginClient, 'open'>, signal: AbortSignal): Promise<void> {
  const { request, first } = gap;
  const from = gap.stored?.grid.span(first).offset ?? 0;
  const answer = await fetchFrom(origin, request, { from, signal, byDigest: isDigest(request.blob) });
  let stored: StoredBlob;
  try {
    stored = await gap.begin(answer.size);
  } catch (error) {
    answer.discard();
    throw error;
  }
  let end = from;
  let toTheEnd = true;
  for await (const { index, chunks, length, hash } of assembleBlocks(stored.grid, first, answer.body)) {
    if (await stored.write(index, chunks, { hash })) gap.wrote(length);
    end += length;
    if (stored.held.firstMissing(index) > index + SKIP) {
      toTheEnd = false;
      break;
    }
  }
  if (toTheEnd) await stored.setSize(end);
}
