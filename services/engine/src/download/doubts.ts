import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

/**
 * Blocks that no supernode has attested and that this node did not fetch from the origin itself: neighbours share what they fetched while no
 * supernode answers. Only the digest of the whole shows whether they are right; no reader gets them before.
 */
export class Doubts {
  /** Blocks that came from the origin itself. */
  private readonly own = new BlockSet();
  /** Who gave a block, by its number. */
  private readonly givers = new Map<number, string>();
  /** The blocks of a whole that was wrong, and who gave them. */
  private readonly suspects = new Map<number, { readonly hash: Buffer; readonly giver: string | undefined }>();
  private mistrusts = false;
  private replaced = 0;
  private settled = false;

  /** Whether such blocks are taken: not any more after one was wrong. */
  get areTaken(): boolean {
    return !this.mistrusts;
  }

  /** How many blocks made room for others: the digest of the whole may have been taken with them. */
  get replacements(): number {
    return this.replaced;
  }

  /** A block that a neighbour gave makes room for the origin's, or for an attested one. @returns who gave it; undefined when that is not known. */
  replace(stored: StoredBlob, block: number): string | undefined {
    this.replaced += 1;
    stored.drop(block);
    return this.givers.get(block);
  }

  /** The whole is right: nothing of it makes room any more. */
  settle(): void {
    this.settled = true;
  }

  /** A block of it is fetched anew. */
  reopen(): void {
    this.settled = false;
  }

  /** Whether the block is held, and could be wrong. */
  isDoubtful(stored: StoredBlob, block: number): boolean {
    if (this.settled) return false;
    const proof = stored.proofOf(block);
    return proof?.isDoubtful === true && !this.own.has(block);
  }

  /** A neighbour gave it. */
  gave(giver: string, block: number): void {
    this.givers.set(block, giver);
  }

  /** The origin itself gave it. @returns who gave another block in its place; undefined when nobody did. */
  confirm(block: number, hash: Buffer): string | undefined {
    this.own.add(block);
    const suspect = this.suspects.get(block);
    this.suspects.delete(block);
    return suspect === undefined || suspect.hash.equals(hash) ? undefined : suspect.giver;
  }

  /** The whole is wrong: throws the doubtful blocks away, and takes no others. @returns how many there were. */
  throwAway(stored: StoredBlob): number {
    this.mistrusts = true;
    const doubtful = [...stored.held].filter((block) => this.isDoubtful(stored, block));
    for (const block of doubtful) {
      const proof = stored.proofOf(block);
      if (proof !== undefined) this.suspects.set(block, { hash: proof.hash, giver: this.givers.get(block) });
      stored.drop(block);
    }
    return doubtful.length;
  }
}
