import { createHash, randomFill } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { StoredBlob } from './descriptor';
import { MEDIA_TYPES } from './descriptor';

const TAR_BLOCK = 512;
/** A tar archive ends with two zero blocks. */
const TAR_END = 2 * TAR_BLOCK;
const CHUNK = 1024 * 1024;

/** The smallest layer: the header of one file, one block of content, the end of the archive. */
const MIN_LAYER_SIZE = TAR_BLOCK + TAR_BLOCK + TAR_END;

const fillRandomly = promisify<Buffer, Buffer>(randomFill);

/**
 * Writes a layer that no cache holds and no compression shrinks: a tar archive (POSIX.1-1988 ustar) of one file with random content.
 *
 * @param path where to write it; must not exist
 * @param size the length of the whole archive in bytes, at least `MIN_LAYER_SIZE`; zeroes after the archive's end make it exact
 * @param entry the name of the file in the archive, at most 100 ASCII characters
 * @throws RangeError when `size` is too small for an archive
 */
export async function writeRandomLayer(path: string, size: number, entry: string): Promise<StoredBlob> {
  if (!Number.isSafeInteger(size) || size < MIN_LAYER_SIZE) {
    throw new RangeError(`A layer of ${size} bytes is too small: give at least ${MIN_LAYER_SIZE} bytes.`);
  }
  const contentSize = Math.floor((size - TAR_BLOCK - TAR_END) / TAR_BLOCK) * TAR_BLOCK;
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    const write = async (bytes: Buffer) => {
      hash.update(bytes);
      await file.writeFile(bytes);
    };
    await write(tarHeader(entry, contentSize));
    for (let left = contentSize; left > 0; left -= CHUNK) {
      await write(await fillRandomly(Buffer.allocUnsafe(Math.min(left, CHUNK))));
    }
    await write(Buffer.alloc(size - TAR_BLOCK - contentSize));
  } finally {
    await file.close();
  }
  return { mediaType: MEDIA_TYPES.layer, digest: `sha256:${hash.digest('hex')}`, size, content: { file: path } };
}

function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(name, 0, 100, 'ascii');
  header.write(octal(0o644, 7), 100, 'ascii');
  header.write(octal(0, 7), 108, 'ascii'); // owner
  header.write(octal(0, 7), 116, 'ascii'); // group
  header.write(octal(size, 11), 124, 'ascii');
  header.write(octal(0, 11), 136, 'ascii'); // time of change
  header.write(' '.repeat(8), 148, 'ascii'); // the checksum counts its own field as blanks
  header.write('0', 156, 'ascii'); // a regular file
  header.write('ustar\0' + '00', 257, 'ascii');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148, 'ascii');
  return header;
}
