import { randomBytes } from 'node:crypto';

import type { Attestation } from '@cdk8s-dragonfly/protocol';
import { BlockBuffers } from '@cdk8s-dragonfly/store';
import type { LentBlock } from '@cdk8s-dragonfly/store';

import { ArrivingBlocks } from '../src/tasks/arriving-blocks';
import type { Follower } from '../src/tasks/arriving-blocks';

const KIB = 1024;
const attestation: Attestation = { hash: Buffer.alloc(32, 1), signature: Buffer.alloc(64, 2) };

/** Takes down what it is given. */
class Taker implements Follower {
  readonly parts: Buffer[] = [];
  attestation: Attestation | undefined;
  isGone = false;
  ready = true;

  isReady(): boolean {
    return this.ready;
  }

  more({ bytes }: LentBlock): void {
    this.parts.push(bytes);
  }

  whole({ bytes }: LentBlock, told: Attestation): void {
    this.parts.push(bytes);
    this.attestation = told;
  }

  gone(): void {
    this.isGone = true;
  }
}

describe('blocks that arrive', () => {
  it('are passed on in parts while they grow, each byte once, whatever becomes of their memory', () => {
    const arriving = new ArrivingBlocks(new BlockBuffers());
    const taker = new Taker();
    const block = randomBytes(1024 * KIB);
    arriving.begin(3, 10);
    const memory = Buffer.from(block);
    arriving.grew(3, memory.subarray(0, 128 * KIB));
    expect(arriving.follow(3, taker)).toBeDefined();
    // The origin may stand still: what is here is given at once.
    expect(taker.parts.map(({ length }) => length / KIB)).toEqual([128]);
    memory.fill(0);
    for (let length = 192 * KIB; length < block.length; length += 64 * KIB) {
      block.copy(memory, 0, 0, length);
      // A connection that has not passed on what it has is given no more.
      taker.ready = length <= 512 * KIB;
      arriving.grew(3, memory.subarray(0, length));
    }
    expect(taker.parts.map(({ length }) => length / KIB)).toEqual([128, 128, 128, 128]);
    block.copy(memory);
    arriving.came(3, memory, attestation);
    memory.fill(0);
    expect(Buffer.concat(taker.parts).equals(block)).toBe(true);
    expect(taker.attestation).toBe(attestation);
    expect(taker.isGone).toBe(false);
  });

  it('are the one that arrives and the next, for one client each, and none behind the end', () => {
    const arriving = new ArrivingBlocks(new BlockBuffers());
    expect(arriving.follow(0, new Taker())).toBeUndefined();
    arriving.begin(3, 6);
    expect(arriving.follow(2, new Taker())).toBeUndefined();
    const leave = arriving.follow(3, new Taker());
    expect(arriving.follow(3, new Taker())).toBeUndefined();
    leave?.();
    expect(arriving.follow(3, new Taker())).toBeDefined();
    expect(arriving.follow(4, new Taker())).toBeDefined();
    expect(arriving.follow(5, new Taker())).toBeUndefined();
    arriving.came(3, randomBytes(KIB), attestation);
    expect(arriving.follow(3, new Taker())).toBeUndefined();
    expect(arriving.follow(5, new Taker())).toBeDefined();
    arriving.came(4, randomBytes(KIB), attestation);
    expect(arriving.follow(6, new Taker())).toBeUndefined();
  });

  it('give their memory back once, however often they are done with', () => {
    const memory = new BlockBuffers();
    const arriving = new ArrivingBlocks(memory);
    let lent: LentBlock | undefined;
    class Keeper extends Taker {
      override whole(rest: LentBlock, told: Attestation): void {
        lent = rest;
        super.whole(rest, told);
      }
    }
    arriving.begin(0, 6);
    arriving.follow(0, new Keeper());
    arriving.came(0, randomBytes(KIB), attestation);
    lent?.done();
    const another = memory.take(KIB);
    expect(another.buffer).toBe(lent?.bytes.buffer);
    lent?.done();
    expect(memory.take(KIB).buffer).not.toBe(another.buffer);
  });

  it('that do not come to their end are told to be gone', () => {
    const arriving = new ArrivingBlocks(new BlockBuffers());
    const takers = [new Taker(), new Taker()] as const;
    arriving.begin(0, 6);
    arriving.follow(0, takers[0]);
    arriving.follow(1, takers[1]);
    arriving.grew(0, randomBytes(200 * KIB));
    arriving.end();
    expect(takers.map(({ isGone }) => isGone)).toEqual([true, true]);
    expect(arriving.follow(0, new Taker())).toBeUndefined();
  });
});
