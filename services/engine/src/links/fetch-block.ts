import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import {
  ARRIVING_HEADER,
  ATTESTATION_LENGTH,
  BLOCK_EDITION_HEADER,
  BLOCK_HASH_HEADER,
  BLOCK_SIGNATURE_HEADER,
  UNATTESTED_HEADER,
  blockPath,
  isAttested,
  readAttestation,
} from '@cdk8s-dragonfly/protocol';
import type { BlobId, Grid } from '@cdk8s-dragonfly/protocol';
import type { BlockProof } from '@cdk8s-dragonfly/store';

import type { BlockClient } from './block-client';
import type { BlockAnswer } from './block-connection';
import { LinkFailure, linkFailure } from './failure';

/** Which block, and how to know it. */
export interface BlockQuestion {
  readonly blob: BlobId;
  /** Of a blob that is named by its URL: the id of the edition that it has to be of. */
  readonly edition?: string | undefined;
  readonly grid: Grid;
  /** Undefined while the blob's length is not known. */
  readonly size: number | undefined;
  readonly index: number;
  /** The supernode's public key. */
  readonly key: KeyObject;
  /** Whether it is taken without an attestation too. Default false. */
  readonly unattested?: boolean | undefined;
  /** Whether the supernode has yet to get it, and is to pass it on as it arrives. Default false. */
  readonly arriving?: boolean | undefined;
}

/** A block that has been checked. */
export interface FetchedBlock {
  readonly chunks: readonly Buffer[];
  readonly length: number;
  readonly proof: BlockProof;
}

/** The longest a base64 Ed25519 signature and a hex SHA-256 are. */
const SIGNATURE_TEXT = /^[A-Za-z0-9+/]{86}==$/;
const HASH_TEXT = /^[0-9a-f]{64}$/;

/** What the statuses mean with which a block is refused. */
const REFUSALS: ReadonlyMap<number, LinkFailure['kind']> = new Map([
  [404, 'missing'],
  [503, 'busy'],
]);

/**
 * Asks a peer or the supernode for a block and checks it: its length, its hash, and the supernode's signature over both.
 *
 * @param origin such as `http://10.0.0.1:15001`.
 * @throws LinkFailure; `signal`'s reason when it aborts.
 */
export async function fetchBlock(
  origin: URL,
  question: BlockQuestion,
  client: BlockClient,
  signal: AbortSignal,
): Promise<FetchedBlock> {
  const { blob, edition, grid, size, index, key, unattested = false, arriving = false } = question;
  const where = `block ${index} of ${blob} from ${origin.host}`;
  try {
    const most = grid.blockLength(index, size);
    const lines = [...(unattested ? [UNATTESTED_HEADER] : []), ...(arriving ? [ARRIVING_HEADER] : [])];
    const asked = {
      path: blockPath(blob, index),
      most: arriving ? most + ATTESTATION_LENGTH : most,
      headers: lines.map((name) => `${name}: 1\r\n`).join(''),
    };
    const answer = await client.get(origin, asked, signal);
    const { status } = answer;
    if (status !== 200) throw new LinkFailure(REFUSALS.get(status) ?? 'gone', `${where}: the answer was ${status}`);
    const other = answer.headers.get(BLOCK_EDITION_HEADER);
    if (edition !== undefined && other !== undefined && other !== edition) {
      throw new LinkFailure('outdated', `${where} is of another version of it`);
    }
    const { body, proof } = taken(answer, where, unattested);
    const { length } = body;
    if (length > most) throw new LinkFailure('lying', `${where} has ${length} bytes instead of at most ${most}`);
    if (length === 0 || (size !== undefined && length < most)) {
      throw new LinkFailure('gone', `${where} has ${length} of ${most} bytes`);
    }
    if (!createHash('sha256').update(body).digest().equals(proof.hash)) {
      throw new LinkFailure('lying', `${where} does not have the hash it came with`);
    }
    const statement = { blob, edition, pieceSize: grid.pieceSize, index, length, hash: proof.hash };
    if (proof.signature !== undefined && !isAttested(statement, proof.signature, key)) {
      throw new LinkFailure('lying', `${where} is not attested by the supernode`);
    }
    return { chunks: [body], length, proof };
  } catch (error) {
    signal.throwIfAborted();
    throw linkFailure(error, where);
  }
}

/** A block, and what shows that it is right: it stands in the head, or behind the bytes of one that was passed on as it arrived. */
function taken(
  { headers, body }: BlockAnswer,
  where: string,
  unattested: boolean,
): { readonly body: Buffer; readonly proof: BlockProof } {
  if (!headers.has(ARRIVING_HEADER)) return { body, proof: readProof(headers, where, unattested) };
  const length = Math.max(0, body.length - ATTESTATION_LENGTH);
  return { body: body.subarray(0, length), proof: readAttestation(body.subarray(length)) };
}

function readProof(headers: ReadonlyMap<string, string>, where: string, unattested: boolean): BlockProof {
  const hash = headers.get(BLOCK_HASH_HEADER) ?? '';
  const signature = headers.get(BLOCK_SIGNATURE_HEADER);
  if (HASH_TEXT.test(hash)) {
    if (unattested && signature === undefined) return { hash: Buffer.from(hash, 'hex'), isDoubtful: true };
    if (signature !== undefined && SIGNATURE_TEXT.test(signature)) {
      return { hash: Buffer.from(hash, 'hex'), signature: Buffer.from(signature, 'base64') };
    }
  }
  throw new LinkFailure('lying', `${where} came without an attestation`);
}
