import { HASH_LENGTH, SIGNATURE_LENGTH } from '@cdk8s-dragonfly/protocol';

import type { BlockProof } from './block-table';

/** So many neighbouring blocks share a page: a blob in order is without gaps, and a stray high block number costs one page. */
const BLOCKS_A_PAGE = 16;

const ENTRY = 1 + HASH_LENGTH + SIGNATURE_LENGTH;
const [ABSENT, UNSIGNED, SIGNED, DOUBTFUL] = [0, 1, 2, 3];

/**
 * The proofs of a blob's blocks, packed: a supernode keeps those of a hundred thousand blocks in memory, and two Buffers and a Map entry
 * for each would take four times as much as the bytes themselves.
 */
export class BlockProofs {
  private readonly pages = new Map<number, Buffer>();

  set(index: number, { hash, signature, isDoubtful }: BlockProof): void {
    const number = Math.floor(index / BLOCKS_A_PAGE);
    let page = this.pages.get(number);
    if (page === undefined) {
      page = Buffer.alloc(BLOCKS_A_PAGE * ENTRY);
      this.pages.set(number, page);
    }
    const at = (index % BLOCKS_A_PAGE) * ENTRY;
    page[at] = signature !== undefined ? SIGNED : isDoubtful === true ? DOUBTFUL : UNSIGNED;
    hash.copy(page, at + 1, 0, HASH_LENGTH);
    signature?.copy(page, at + 1 + HASH_LENGTH, 0, SIGNATURE_LENGTH);
  }

  /** The proof as it was set; undefined when it was not. A copy: what is set later does not change it. */
  get(index: number): BlockProof | undefined {
    const page = this.pages.get(Math.floor(index / BLOCKS_A_PAGE));
    const at = (index % BLOCKS_A_PAGE) * ENTRY;
    const state = page?.[at] ?? ABSENT;
    if (page === undefined || state === ABSENT) return undefined;
    const bytes = Buffer.from(page.subarray(at + 1, at + ENTRY));
    const hash = bytes.subarray(0, HASH_LENGTH);
    if (state === SIGNED) return { hash, signature: bytes.subarray(HASH_LENGTH) };
    return state === DOUBTFUL ? { hash, isDoubtful: true } : { hash };
  }

  /** What was signed is so no longer. */
  dropSignatures(): void {
    for (const page of this.pages.values()) {
      for (let at = 0; at < page.length; at += ENTRY) if (page[at] === SIGNED) page[at] = UNSIGNED;
    }
  }

  /** The blocks that have a proof, in no certain order. */
  *blocks(): Generator<number> {
    for (const [number, page] of this.pages) {
      for (let slot = 0; slot < BLOCKS_A_PAGE; slot += 1) {
        if (page[slot * ENTRY] !== ABSENT) yield number * BLOCKS_A_PAGE + slot;
      }
    }
  }
}
