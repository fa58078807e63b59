import { createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import type { BlobId } from '../digest';

/** Bytes of a SHA-256. */
export const HASH_LENGTH = 32;

/** Bytes of an Ed25519 signature (RFC 8032). */
export const SIGNATURE_LENGTH = 64;

/** What the supernode states of one block: these bytes belong at this place of this blob. */
export interface BlockStatement {
  readonly blob: BlobId;
  /** The id of the {@link Edition} of a blob that is named by its URL. Undefined: its name is its digest. */
  readonly edition?: string | undefined;
  readonly pieceSize: number;
  readonly index: number;
  readonly length: number;
  /** SHA-256 of the block's raw bytes. */
  readonly hash: Buffer;
}

/** The signed part of a statement that travels with a block. */
export interface Attestation {
  readonly hash: Buffer;
  readonly signature: Buffer;
}

/** Bytes of an attestation that stands behind a block. */
export const ATTESTATION_LENGTH = HASH_LENGTH + SIGNATURE_LENGTH;

/** The form of an attestation that stands behind the bytes of its block. */
export function attestationBytes({ hash, signature }: Attestation): Buffer {
  return Buffer.concat([hash, signature], ATTESTATION_LENGTH);
}

/** Reads {@link attestationBytes}' form. The parts are copies: the memory of `bytes` may be used for something else. */
export function readAttestation(bytes: Buffer): Attestation {
  return {
    hash: Buffer.from(bytes.subarray(0, HASH_LENGTH)),
    signature: Buffer.from(bytes.subarray(HASH_LENGTH, ATTESTATION_LENGTH)),
  };
}

/** Signs a statement with the supernode's Ed25519 key. */
export function attest(statement: BlockStatement, key: KeyObject): Attestation {
  return { hash: statement.hash, signature: sign(null, messageOf(statement), key) };
}

/** Whether the supernode with this key signed the statement. */
export function isAttested(statement: BlockStatement, signature: Buffer, key: KeyObject): boolean {
  return signature.length === SIGNATURE_LENGTH && verify(null, messageOf(statement), key, signature);
}

/** The public half of a key, as it is told to daemons: base64 of its SPKI form (RFC 8410). */
export function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
}

/**
 * Reads {@link publicKeyText}'s form.
 *
 * @throws Error when it is no Ed25519 public key.
 */
export function readPublicKey(text: string): KeyObject {
  const key = createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' });
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`the key is of type ${String(key.asymmetricKeyType)}, not Ed25519`);
  return key;
}

function messageOf({ blob, edition, pieceSize, index, length, hash }: BlockStatement): Buffer {
  const name = edition === undefined ? blob : `${blob}@${edition}`;
  return Buffer.from(`dragonfly native v2 block\n${name}\n${pieceSize} ${index} ${length}\n${hash.toString('hex')}\n`);
}
