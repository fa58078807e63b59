import { z } from 'zod';

import { isBlobId } from '../digest';
import type { BlobId } from '../digest';
import { isPieceSize } from '../grid';
import { BlockSet, MAX_BLOCK } from '../grid/block-set';
import { edition, editionId } from './edition';

/**
 * The version of the native protocol that this code speaks: another one when messages, attestations or the grid of blocks are no longer those
 * of builds before. Builds of different versions serve each other as original clients and supernodes.
 */
export const NATIVE_VERSION = 3;

/** So many new blocks go into one line at most. */
export const MAX_NEWS = 100_000;

/** Headers that carry a block's attestation. */
export const BLOCK_HASH_HEADER = 'x-dragonfly-block-sha256';
export const BLOCK_SIGNATURE_HEADER = 'x-dragonfly-block-signature';

/** The header of a block of a blob that is named by its URL: the id of the edition that it is of. */
export const BLOCK_EDITION_HEADER = 'x-dragonfly-edition';

/** The header of a request for a block that is taken without an attestation too; its value says nothing. */
export const UNATTESTED_HEADER = 'x-dragonfly-unattested';

/**
 * The header of a request for a block that is taken as it arrives at the supernode, its attestation behind its bytes; and of the answer that
 * is of that form. Its value says nothing.
 */
export const ARRIVING_HEADER = 'x-dragonfly-arriving';

/**
 * No client is told to come again later than after so many milliseconds: containerd ends a pull that brings nothing for five minutes.
 */
export const MAX_LATER = 180_000;

/** The header of the answer to a ping: which process of the supernode gave it, see {@link nativeRefusal}. */
export const PROCESS_HEADER = 'x-dragonfly-process';

const blobId = z.string().refine((text): text is BlobId => isBlobId(text));
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const port = z.number().int().min(1).max(65535);
const ip = z.union([z.ipv4(), z.ipv6()]);
const pieceSize = count.refine(isPieceSize);
const block = z.number().int().min(0).max(MAX_BLOCK);
const blocks = z
  .base64()
  .max(MAX_BLOCK)
  .transform((text, context) => {
    try {
      return BlockSet.fromBase64(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: String(error) });
      return z.NEVER;
    }
  });

/** A client's name in the swarm: the `cid` of the original protocol. Printable, without spaces. */
const cid = z.string().regex(/^[!-~]{1,200}$/);

/** A supernode's public key: base64 of SPKI. */
const publicKey = z.base64().max(200);

/** Which process of the supernode this is: another at each start. */
const processId = z.string().regex(/^[0-9a-f]{32}$/);

/** The member `native` in the success answer of `POST /peer/registry`. */
export const nativeRegistration = z.union([
  z.object({
    version: z.literal(NATIVE_VERSION),
    blob: blobId,
    key: publicKey,
    /** Where blocks are served. */
    blocks: z.object({ ip, port }),
  }),
  /** Another replica owns the blob: register there, with `redirected`. */
  z.object({
    version: z.literal(NATIVE_VERSION),
    blob: blobId,
    owner: z.object({
      ip,
      port,
      /** `HOST:PORT` by which the replicas know it: whoever has it under this name need not open a second session there. Absent: not told. */
      name: z.string().max(300).optional(),
      /** Which process it is, for whoever has it under yet another name. Absent: not told. */
      process: processId.optional(),
    }),
  }),
]);
export type NativeRegistration = z.infer<typeof nativeRegistration>;

/** The member `native` of a refusal: more register at once than can be taken in, and the client is to come again. */
export const nativeRefusal = z.object({
  version: z.literal(NATIVE_VERSION),
  /** In so many milliseconds. */
  later: z.number().int().min(1).max(MAX_LATER),
  /** Who says so: another process knows of no turns. Absent: it does not say. */
  process: processId.optional(),
});
export type NativeRefusal = z.infer<typeof nativeRefusal>;

/** Who a replica is. */
const replicaIdentity = z.object({
  id: processId,
  key: publicKey,
  /** Where its API is reached. */
  ip,
  port,
});
export type ReplicaIdentity = z.infer<typeof replicaIdentity>;

/** A replica tells of so many blobs that it has under way. */
export const MAX_UNDER_WAY = 256;

/** The answer to `GET /native/v3/replica`. */
export const replicaAnswer = replicaIdentity.extend({
  /** For replicas alone: blobs that it fetches, or has fetched for daemons that may still take them. Absent: it does not say. */
  underWay: z.array(blobId).max(MAX_UNDER_WAY).optional(),
});
export type ReplicaAnswer = z.infer<typeof replicaAnswer>;

/** A peer to trade blocks with. */
export const neighbour = z.object({ cid, ip, port });
export type Neighbour = z.infer<typeof neighbour>;

/** Which blocks to take from the supernode first: those with `block mod count = index`. */
const share = z
  .object({ index: z.number().int().min(0).max(65535), count: z.number().int().min(1).max(65536) })
  .nullable();
export type Share = z.infer<typeof share>;

/** Why the supernode cannot fetch a blob. */
const failure = z.object({
  /** The result code of the original protocol (Dragonfly 0.x protocol, 2.3). */
  code: z.number().int(),
  /** The origin's HTTP status, when it answered with one. */
  status: z.number().int().optional(),
  message: z.string().max(2000),
  /** What the origin gives does not have the digest: whoever asked it too would get the same. Absent: that is not why. */
  mismatch: z.literal(true).optional(),
});
export type TaskFailure = z.infer<typeof failure>;

/** The parts of a session's stream, one JSON document a line, in the order in which they happen. */
export const sessionEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ping'),
    /** From now on the next line comes within so many milliseconds. Absent: twice a second at least. */
    within: count.max(60_000).optional(),
  }),
  /** The first line: how many blobs the daemon wants, as far as the supernode knows. Fewer than it registered for: it has been forgotten. */
  z.object({
    type: z.literal('hello'),
    blobs: count,
    /** How many names of {@link holdings} the supernode knows of it; fewer than it told: it tells them anew. Absent: it takes none. */
    holdings: count.optional(),
    /** Absent: it does not say. */
    process: processId.optional(),
  }),
  /** What the supernode knows of a blob; sent at joining and when it changes. `size` is absent while unknown. */
  z.object({
    type: z.literal('task'),
    blob: blobId,
    state: z.enum(['waiting', 'fetching', 'complete', 'failed']),
    pieceSize: pieceSize.optional(),
    size: count.optional(),
    /** Of a blob that is named by its URL, with `pieceSize`: which version of it this is. */
    edition: edition.optional(),
    /** SHA-256 of the whole in hex, with state `complete`. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    failure: failure.optional(),
  }),
  /** All blocks that the supernode has. */
  z.object({ type: z.literal('have'), blob: blobId, blocks }),
  /** Blocks that the supernode has since. */
  z.object({ type: z.literal('added'), blob: blobId, blocks: z.array(block).max(MAX_NEWS) }),
  /** All neighbours of this daemon for the blob. */
  z.object({ type: z.literal('neighbours'), blob: blobId, peers: z.array(neighbour).max(64) }),
  z.object({ type: z.literal('share'), blob: blobId, share }),
  /** Whoever wants the blob registers again: the origin no longer takes the credentials it was asked with, or it has taken long. */
  z.object({ type: z.literal('credentials'), blob: blobId }),
]);
export type SessionEvent = z.infer<typeof sessionEvent>;
/** A session event as it is written: a block set in its base64 form. */
export type SessionMessage = z.input<typeof sessionEvent>;

/** The parts of a peer's stream of what it has. */
export const haveEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping') }),
  /** All blocks that it has; `pieceSize` with the blob's grid, `size` once it is known. */
  z.object({
    type: z.literal('have'),
    blocks,
    pieceSize: pieceSize.optional(),
    size: count.optional(),
    /** Of a blob that is named by its URL: the id of the edition that they are of. Absent: nobody has told this peer. */
    edition: editionId.optional(),
    /** Blocks that no supernode has attested: they came from the origin, or from somebody who had them from there. */
    unattested: blocks.optional(),
  }),
  z.object({
    type: z.literal('added'),
    blocks: z.array(block).max(MAX_NEWS),
    unattested: z.array(block).max(MAX_NEWS).optional(),
  }),
]);
export type HaveEvent = z.infer<typeof haveEvent>;
export type HaveMessage = z.input<typeof haveEvent>;

const address = z.object({ cid, ip, port: z.coerce.number().pipe(port) });

/** The query of `GET /native/v3/session`. */
export const sessionQuery = address.extend({
  /** Counts the daemon's sessions: of two the one with the higher number is the newer. Absent: it came last. */
  number: z.coerce.number().pipe(count).optional(),
});

/** So many names of blobs go into one {@link holdings}: less than the supernode takes in a body. */
export const MAX_HOLDINGS = 2000;

/** The body of `POST /native/v3/holdings`: blobs that the daemon has whole and gives to whoever asks. */
export const holdings = z.object({
  blobs: z.array(blobId).max(MAX_HOLDINGS),
  /** What was told before is no longer so. Default false: these come on top. */
  anew: z.boolean().default(false),
});
export type Holdings = z.infer<typeof holdings>;

/** The query of `POST /native/v3/holdings`. */
export const holdingsQuery = address.extend({
  zone: z
    .string()
    .regex(/^[!-~]{1,100}$/)
    .optional(),
});
export type HoldingsQuery = z.infer<typeof holdingsQuery>;

/** So many peers go into one {@link peerReport}. */
const MAX_REPORTED = 16;

/** The body of `POST /native/v3/reports`: neighbours that failed to give a blob, or gave what they should not. */
export const peerReport = z.object({ blob: blobId, peers: z.array(cid).min(1).max(MAX_REPORTED) });
export type PeerReport = z.infer<typeof peerReport>;
