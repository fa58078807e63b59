import { z } from 'zod';

/** Where preheats are ordered (`POST`), listed and looked at (`GET`), and deleted (Dragonfly 0.x protocol, 8). */
export const PREHEATS_PATH = '/preheats';

/** How far a preheat is (Dragonfly 0.x protocol, 8). */
const PREHEAT_STATES = ['WAITING', 'RUNNING', 'SUCCESS', 'FAILED'] as const;
export type PreheatState = (typeof PREHEAT_STATES)[number];

/** How far one blob of a preheat is; `SKIPPED`: the registry need not have it. Ours. */
const PREHEAT_BLOB_STATES = [...PREHEAT_STATES, 'SKIPPED'] as const;
export type PreheatBlobState = (typeof PREHEAT_BLOB_STATES)[number];

/** The answer to an order that was taken. */
export const preheatOrdered = z.object({ ID: z.string().regex(/^[0-9a-f]{64}$/) });

/** An answer that is a refusal. `ID` is ours: which finished preheat stands in the way of an order (409). */
export const preheatRefusal = z.object({
  code: z.number(),
  message: z.string(),
  ID: preheatOrdered.shape.ID.optional(),
});

/** One blob in `GET /preheats/{id}`. */
const preheatBlob = z.object({
  /** Its digest, or `task:` and the task id of a file whose URL names none. */
  digest: z.string(),
  /** Bytes; absent while unknown. */
  size: z.number().optional(),
  /** Bytes that are at the supernode. */
  bytes: z.number(),
  state: z.enum(PREHEAT_BLOB_STATES),
  /** The platforms that need it. */
  platforms: z.array(z.string()).optional(),
  /** Why it failed. */
  errMsg: z.string().optional(),
  /** The origin's HTTP status, when that is why it failed. */
  status: z.number().optional(),
});
export type PreheatBlob = z.infer<typeof preheatBlob>;

/** The answer of `GET /preheats/{id}` (Dragonfly 0.x protocol, 8); `type`, `url` and `blobs` are ours. */
export const preheatDocument = z.object({
  ID: z.string(),
  /** `yyyy-MM-dd HH:mm:ss`, GMT+8. */
  startTime: z.string(),
  /** Absent while it runs. */
  finishTime: z.string().optional(),
  status: z.enum(PREHEAT_STATES),
  /** Present when it failed. */
  errMsg: z.string().optional(),
  type: z.enum(['file', 'image']),
  /** Without its query, which may hold a signature. */
  url: z.string(),
  blobs: z.array(preheatBlob),
});
export type PreheatDocument = z.infer<typeof preheatDocument>;

/** One of the answer of `GET /preheats`: an image may have thousands of blobs, and is looked at by itself. */
export type PreheatSummary = Omit<PreheatDocument, 'blobs'>;
