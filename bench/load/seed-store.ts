import { createHash, randomBytes } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { Grid, HASH_LENGTH, SIGNATURE_LENGTH, pieceSizeOf } from '@cdk8s-dragonfly/protocol';

import { TABLE_VERSION } from '../../services/store/src/block-table';

/** Pieces of each task. */
export const PIECES = 25;

/** Raw length of a file of {@link PIECES} full pieces, in bytes: 5 bytes a piece less than 100 MiB. */
const FILE_LENGTH = PIECES * new Grid(pieceSizeOf(0)).pieceLength;

/** Bytes of the head of a block table, and of a record of it: see the store. */
const HEAD_LENGTH = 256;
const RECORD_LENGTH = 8 + HASH_LENGTH + SIGNATURE_LENGTH;

/** The hexadecimal digits of the digest under which task `number` is asked for. */
export function digestOf(number: number): string {
  return createHash('sha256').update(`load test ${number}`).digest('hex');
}

/**
 * Puts tasks into the home of a supernode that does not run, as an earlier process would have left them: whole. The data files are sparse
 * and take no room; the tables of their blocks are of full length, since the supernode keeps them in memory.
 */
export async function seedStore(home: string, tasks: number): Promise<void> {
  const pieceSize = pieceSizeOf(FILE_LENGTH);
  const blocks = new Grid(pieceSize).blockCount(FILE_LENGTH);
  for (let task = 0; task < tasks; task += 1) {
    const hex = digestOf(task);
    const path = join(home, 'blobs', 'sha256', hex.slice(0, 2), hex);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.data`, '', { mode: 0o600 });
    await truncate(`${path}.data`, FILE_LENGTH);
    const head = JSON.stringify({ version: TABLE_VERSION, blob: `sha256:${hex}`, pieceSize, size: FILE_LENGTH });
    const records = randomBytes(blocks * RECORD_LENGTH);
    for (let block = 0; block < blocks; block += 1) {
      records.writeUInt32BE(block, block * RECORD_LENGTH);
      records.writeUInt32BE(1, block * RECORD_LENGTH + 4);
    }
    const table = Buffer.concat([Buffer.from(`${head.padEnd(HEAD_LENGTH - 1)}\n`), records]);
    await writeFile(`${path}.blocks`, table, { mode: 0o600 });
  }
}
