import { randomBytes } from 'node:crypto';

import { MAX_BLOCK } from '@cdk8s-dragonfly/protocol';

import { BlockProofs } from '../src/block-proofs';

const signed = () => ({ hash: randomBytes(32), signature: randomBytes(64) });

describe('the proofs of a blob', () => {
  it('gives each as it was set, signed or not, wherever the block is', () => {
    const proofs = new BlockProofs();
    const [first, neighbour, stray] = [signed(), { hash: randomBytes(32) }, signed()];
    proofs.set(0, first);
    proofs.set(1, neighbour);
    proofs.set(MAX_BLOCK, stray);
    expect([proofs.get(0), proofs.get(1), proofs.get(MAX_BLOCK)]).toEqual([first, neighbour, stray]);
    expect([proofs.get(2), proofs.get(MAX_BLOCK - 1), proofs.get(40)]).toEqual([undefined, undefined, undefined]);
    expect([...proofs.blocks()]).toEqual([0, 1, MAX_BLOCK]);
  });

  it('keeps that a block is doubtful', () => {
    const proofs = new BlockProofs();
    const doubtful = { hash: randomBytes(32), isDoubtful: true };
    proofs.set(5, doubtful);
    expect(proofs.get(5)).toEqual(doubtful);
  });

  it('keeps the hashes when the signatures are dropped', () => {
    const proofs = new BlockProofs();
    const [one, other] = [signed(), signed()];
    proofs.set(3, one);
    proofs.set(20, other);
    proofs.dropSignatures();
    expect([proofs.get(3), proofs.get(20)]).toEqual([{ hash: one.hash }, { hash: other.hash }]);
    expect([...proofs.blocks()]).toEqual([3, 20]);
  });

  it('gives copies: a proof that was given stays what it was when the block gets another', () => {
    const proofs = new BlockProofs();
    const [before, after] = [signed(), { hash: randomBytes(32) }];
    proofs.set(7, before);
    const given = proofs.get(7);
    proofs.set(7, after);
    expect(given).toEqual(before);
    expect(proofs.get(7)).toEqual(after);
  });
});
