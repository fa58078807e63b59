import { createHash, randomBytes } from 'node:crypto';

const CHUNK = 4 * 1024 * 1024;

/** The bytes of a blob that needs no disk: one random chunk again and again, its first bytes counting the times. */
export class Content {
  readonly digest: string;
  private readonly chunk = randomBytes(CHUNK);

  /** @param length in bytes: a multiple of 4 MiB. */
  constructor(readonly length: number) {
    if (length <= 0 || length % CHUNK !== 0) throw new RangeError(`${length} is no multiple of 4 MiB`);
    const hash = createHash('sha256');
    for (let number = 0; number < this.chunks; number += 1) hash.update(this.at(number));
    this.digest = `sha256:${hash.digest('hex')}`;
  }

  get chunks(): number {
    return this.length / CHUNK;
  }

  /** Chunk `number`, to be used before the next one is asked for. */
  at(number: number): Buffer {
    const chunk = Buffer.from(this.chunk);
    chunk.writeUInt32BE(number, 0);
    return chunk;
  }
}
