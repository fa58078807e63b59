import { createHash } from 'node:crypto';

/**
 * Which of several replicas owns a blob: the one with the highest weight, which follows from its name and the blob's alone. When one
 * is lost, only what it owned moves, and evenly to the others (rendezvous hashing; Thaler and Ravishankar, 1998).
 *
 * @returns undefined when there is no replica.
 */
export function ownerOf<R extends { readonly name: string }>(blob: string, replicas: Iterable<R>): R | undefined {
  let owner: R | undefined;
  let highest = '';
  for (const replica of replicas) {
    // The separator is in no name, so that no two pairs look the same.
    const weight = createHash('sha256').update(`${replica.name}\n${blob}`).digest('hex');
    if (owner === undefined || weight > highest) {
      owner = replica;
      highest = weight;
    }
  }
  return owner;
}
