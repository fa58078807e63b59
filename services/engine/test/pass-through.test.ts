import { createHash, randomBytes } from 'node:crypto';

import type { OriginClient } from '@cdk8s-dragonfly/origin';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';
import * as fc from 'fast-check';

import { passThrough } from '../src/download/pass-through';
import type { UnstoredBlob } from '../src/download/pass-through';

const MIB = 1024 * 1024;
const content = randomBytes(3 * MIB + 77);
const sha256 = createHash('sha256').update(content).digest('hex');
const blob: Digest = `sha256:${sha256}`;
const url = new URL(`http://origin.test/v2/x/blobs/${blob}`);

/** An origin that cuts its bytes so. */
function originOf(bytes: Buffer, step: number): Pick<OriginClient, 'open'> {
  async function* body(from: number): AsyncGenerator<Buffer> {
    for (let at = from; at < bytes.length; at += step) yield await Promise.resolve(bytes.subarray(at, at + step));
  }
  return {
    open: ({ from = 0 }) =>
      Promise.resolve({
        status: from === 0 ? 200 : 206,
        size: bytes.length,
        start: from,
        from,
        length: bytes.length - from,
        acceptsRanges: true,
        finalHost: 'origin.test',
        body: body(from),
        discard: () => undefined,
      }),
  };
}

function unstored(took: (bytes: number) => void = () => undefined): UnstoredBlob {
  return { request: { blob, url, headers: [] }, stored: undefined, sha256, mayLeave: () => true, took };
}

async function collect(bytes: AsyncIterable<Buffer>, onChunk: (chunk: Buffer) => void): Promise<void> {
  for await (const chunk of bytes) onChunk(chunk);
}

describe('a blob that passes by', () => {
  const { signal } = new AbortController();

  it('gives any part of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(content.length),
        fc.nat(content.length),
        fc.integer({ min: 20_000, max: 2 * MIB }),
        async (one, other, step) => {
          const [from, end] = [Math.min(one, other), Math.max(one, other)];
          const chunks: Buffer[] = [];
          let took = 0;
          const blobPassing = unstored((bytes) => (took += bytes));
          await collect(passThrough(blobPassing, originOf(content, step), { from, end }, signal), (chunk) =>
            chunks.push(chunk),
          );
          expect(Buffer.concat(chunks).equals(content.subarray(from, end))).toBe(true);
          expect(took).toBe(content.length);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('takes what is on disk up to the first block that nobody has vouched for, and the rest from the origin', async () => {
    const blocks = [content.subarray(0, MIB), Buffer.alloc(MIB, 'wrong'), content.subarray(2 * MIB, 3 * MIB)];
    const stored = {
      held: { has: (index: number) => index < blocks.length },
      read: (index: number) => Promise.resolve(blocks[index]),
      size: content.length,
    } as unknown as StoredBlob;
    const chunks: Buffer[] = [];
    let took = 0;
    const blobPassing = {
      ...unstored((bytes) => (took += bytes)),
      stored,
      mayLeave: (_stored: StoredBlob, index: number) => index !== 1,
    };
    await collect(passThrough(blobPassing, originOf(content, 65_536), { from: 0 }, signal), (chunk) =>
      chunks.push(chunk),
    );
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    expect(took).toBe(content.length - MIB);
  });

  it.each([
    ['a wrong bit', Buffer.concat([content.subarray(0, 100), Buffer.from([content[100]! ^ 1]), content.subarray(101)])],
    ['an end too early', content.subarray(0, -1)],
    ['bytes too many', Buffer.concat([content, Buffer.from('x')])],
  ])('never gives the end when the origin sent %s', async (_what, bytes) => {
    let given = 0;
    const passing = passThrough(unstored(), originOf(bytes, 65_536), { from: 0 }, signal);
    await expect(collect(passing, (chunk) => (given += chunk.length))).rejects.toMatchObject({
      name: 'BlobUnavailable',
      reason: 'digest-mismatch',
    });
    expect(given).toBe(bytes.length - MIB);
  });
});
