import type { BlobId } from '@cdk8s-dragonfly/protocol';

/** A block on disk does not have the hash that it was written with. */
export class DamagedBlock extends Error {
  override readonly name = 'DamagedBlock';

  constructor(blob: BlobId, index: number) {
    super(`block ${index} of ${blob} on disk does not have the hash it was written with; it is fetched anew`);
  }
}
