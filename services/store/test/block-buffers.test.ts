import { BlockBuffers } from '../src';

const KIB = 1024;

describe('memory for blocks', () => {
  it('is used again for a block of nearly the same length, and has the length asked for', () => {
    const buffers = new BlockBuffers();
    const first = buffers.take(1024 * KIB);
    buffers.giveBack(first);
    // With its attestation behind it.
    buffers.giveBack(buffers.take(1024 * KIB + 96));
    const again = buffers.take(1024 * KIB - 5);
    expect(again.buffer).toBe(first.buffer);
    expect([again.byteOffset, again.length]).toEqual([0, 1024 * KIB - 5]);
    expect(buffers.take(1024 * KIB).buffer).not.toBe(first.buffer);
  });

  it('is not given twice when it comes back twice, nor taken from others', () => {
    const buffers = new BlockBuffers();
    const first = buffers.take(64 * KIB);
    buffers.giveBack(first);
    buffers.giveBack(first);
    expect(buffers.take(64 * KIB).buffer).toBe(first.buffer);
    expect(buffers.take(64 * KIB).buffer).not.toBe(first.buffer);
    const foreign = Buffer.allocUnsafeSlow(64 * KIB);
    buffers.giveBack(foreign);
    expect(buffers.take(64 * KIB).buffer).not.toBe(foreign.buffer);
  });

  it('is kept up to its bound', () => {
    const buffers = new BlockBuffers(256 * KIB);
    const taken = [1, 2, 3].map(() => buffers.take(64 * KIB));
    for (const one of taken) buffers.giveBack(one);
    const again = [1, 2, 3].map(() => buffers.take(64 * KIB).buffer);
    expect(taken.filter(({ buffer }) => again.includes(buffer))).toHaveLength(2);
  });

  it('is left to the collector first where its size is not used any more', () => {
    const buffers = new BlockBuffers(1024 * KIB);
    const small = [1, 2, 3].map(() => buffers.take(250 * KIB));
    const large = buffers.take(512 * KIB);
    for (const one of [...small, large]) buffers.giveBack(one);
    expect(buffers.take(512 * KIB).buffer).toBe(large.buffer);
    const again = [1, 2, 3].map(() => buffers.take(250 * KIB).buffer);
    expect(small.filter(({ buffer }) => again.includes(buffer))).toHaveLength(1);
  });
});
