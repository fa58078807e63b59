import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { HASH_LENGTH, MAX_BLOCK, SIGNATURE_LENGTH, isPieceSize } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Edition } from '@cdk8s-dragonfly/protocol';

import { openFile } from './blob-files';
import { BlockProofs } from './block-proofs';

/** Why a block on disk may be believed. */
export interface BlockProof {
  /** SHA-256 of the block. */
  readonly hash: Buffer;
  /** The supernode's signature over it; absent for a block that came straight from the origin. */
  readonly signature?: Buffer;
  /** Without a signature: it did not come from the origin itself, but from somebody who says so. Default false. */
  readonly isDoubtful?: boolean | undefined;
}

/** What the table says of the whole blob. */
export interface TableHead {
  readonly blob: BlobId;
  readonly pieceSize: number;
  /** Undefined until the end of the blob is known. */
  readonly size: number | undefined;
  /** Which version of what stands at its URL it is; undefined for one that is named by its digest. */
  readonly edition?: Edition | undefined;
}

/** Of this form, of the grid of blocks, and of what is signed of them: what a build of another one left is fetched anew. */
export const TABLE_VERSION = 4;

const HEAD_LENGTH = 256;
const RECORD_LENGTH = 8 + HASH_LENGTH + SIGNATURE_LENGTH;
const SIGNED = 1;
const DOUBTFUL = 2;

/** The length in bytes of the table of so many blocks, none of them written twice. */
export function tableLength(blocks: number): number {
  return HEAD_LENGTH + blocks * RECORD_LENGTH;
}

/**
 * The sidecar of a data file: a head of 256 bytes (JSON, padded with spaces), then a record of 104 bytes for each block that
 * was written, in the order of writing: block number, flags, SHA-256, signature. Appended to, never rewritten but for the head; a
 * record cut short by a crash is dropped, and one whose data did not reach the disk is found by its hash.
 */
export class BlockTable {
  private constructor(
    private readonly file: FileHandle,
    private end: number,
  ) {}

  /** Makes a table that must not exist. */
  static async create(path: string, head: TableHead): Promise<BlockTable> {
    const file = await open(
      path,
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    const table = new BlockTable(file, HEAD_LENGTH);
    try {
      await table.writeHead(head);
    } catch (error) {
      await file.close();
      throw error;
    }
    return table;
  }

  /** Reads a table; undefined when it is damaged and the blob must be fetched anew. */
  static async read(
    path: string,
    blob: BlobId,
  ): Promise<{ table: BlockTable; head: TableHead; proofs: BlockProofs } | undefined> {
    const file = await openFile(path);
    let bytes: Buffer;
    let head: TableHead | undefined;
    try {
      bytes = await file.readFile();
      head = parseHead(bytes.subarray(0, HEAD_LENGTH), blob);
    } catch (error) {
      await file.close();
      throw error;
    }
    if (head === undefined) {
      await file.close();
      return undefined;
    }
    const proofs = new BlockProofs();
    let end = HEAD_LENGTH;
    for (; end + RECORD_LENGTH <= bytes.length; end += RECORD_LENGTH) {
      const record = bytes.subarray(end, end + RECORD_LENGTH);
      const index = record.readUInt32BE(0);
      if (index > MAX_BLOCK) break;
      const hash = record.subarray(8, 8 + HASH_LENGTH);
      // A hole: the record that belongs here could not be written.
      if (hash.every((byte) => byte === 0)) continue;
      const flags = record.readUInt32BE(4);
      if (flags === SIGNED) proofs.set(index, { hash, signature: record.subarray(8 + HASH_LENGTH) });
      else proofs.set(index, flags === DOUBTFUL ? { hash, isDoubtful: true } : { hash });
    }
    return { table: new BlockTable(file, end), head, proofs };
  }

  /** Whether a file is the table of a blob, of this version. Reads no more than its head. */
  static async isUsable(path: string, blob: BlobId): Promise<boolean> {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_LENGTH), 0, HEAD_LENGTH, 0);
      return parseHead(buffer.subarray(0, bytesRead), blob) !== undefined;
    } finally {
      await file.close();
    }
  }

  /** Adds the record of a block whose data is written. */
  async append(index: number, proof: BlockProof): Promise<void> {
    const record = Buffer.alloc(RECORD_LENGTH);
    record.writeUInt32BE(index, 0);
    record.writeUInt32BE(flagsOf(proof), 4);
    proof.hash.copy(record, 8);
    proof.signature?.copy(record, 8 + HASH_LENGTH);
    const at = this.end;
    this.end += RECORD_LENGTH;
    await this.writeAll(record, at);
  }

  async writeHead(head: TableHead): Promise<void> {
    const bytes = Buffer.alloc(HEAD_LENGTH, ' ');
    bytes.write(headText(head));
    bytes.write('\n', HEAD_LENGTH - 1);
    await this.writeAll(bytes, 0);
  }

  /** Keeps the time of the last use on disk. */
  async touch(): Promise<void> {
    const now = new Date();
    await this.file.utimes(now, now);
  }

  async facts(): Promise<Stats> {
    return this.file.stat();
  }

  async sync(): Promise<void> {
    await this.file.datasync();
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** A full disk takes a part of a write and refuses the rest: that shows at the next. */
  private async writeAll(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      done += (await this.file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  }
}

function flagsOf({ signature, isDoubtful }: BlockProof): number {
  if (signature !== undefined) return SIGNED;
  return isDoubtful === true ? DOUBTFUL : 0;
}

/** The head, with as much of what the origin said of the edition as it has room for: without it, it is asked for anew. */
function headText({
  blob,
  pieceSize,
  size,
  edition: { id: edition, etag, lastModified } = { id: '' },
}: TableHead): string {
  const named = { version: TABLE_VERSION, blob, pieceSize, size, ...(edition === '' ? {} : { edition }) };
  const [whole, ...shorter] = [{ etag, lastModified }, { etag }, { lastModified }, {}].map((marks) =>
    JSON.stringify({ ...named, ...marks }),
  );
  return [whole, ...shorter].find((text = '') => Buffer.byteLength(text) < HEAD_LENGTH) ?? '';
}

function parseHead(bytes: Buffer, blob: BlobId): TableHead | undefined {
  let head: unknown;
  try {
    head = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // a damaged table: the caller drops the blob, nothing is lost but a copy
  }
  if (typeof head !== 'object' || head === null) return undefined;
  const { version, blob: name, pieceSize, size, edition: id, etag, lastModified } = head as Record<string, unknown>;
  if (version !== TABLE_VERSION || name !== blob || typeof pieceSize !== 'number' || !isPieceSize(pieceSize))
    return undefined;
  if (size !== undefined && (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)) return undefined;
  if (typeof id !== 'string') return { blob, pieceSize, size };
  const marks = {
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
  return { blob, pieceSize, size, edition: { id, ...marks } };
}
