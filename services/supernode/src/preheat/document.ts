import { z } from 'zod';

/** How far a preheat, or one of its blobs, is; `SKIPPED`: the registry need not have it (Dragonfly 0.x protocol, 8). */
export const PREHEAT_STATES = ['WAITING', 'RUNNING', 'SUCCESS', 'FAILED'] as const;
export type PreheatState = (typeof PREHEAT_STATES)[number];
export type BlobState = PreheatState | 'SKIPPED';

/** One blob in `GET /preheats/{id}`. */
export const blobDocument = z.object({
  /** Its digest, or `task:` and the task id of a file whose URL names none. */
  digest: z.string(),
  /** Bytes; absent while unknown. */
  size: z.number().optional(),
  /** Bytes that are here. */
  bytes: z.number(),
  state: z.enum([...PREHEAT_STATES, 'SKIPPED']),
  /** The platforms that need it. */
  platforms: z.array(z.string()).optional(),
  /** Why it failed. */
  errMsg: z.string().optional(),
  /** The origin's HTTP status, when that is why it failed. */
  status: z.number().optional(),
});
export type BlobDocument = z.infer<typeof blobDocument>;

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
  blobs: z.array(blobDocument),
});
export type PreheatDocument = z.infer<typeof preheatDocument>;

const GMT8 = 8 * 60 * 60 * 1000;

/** A time as the original writes it: `yyyy-MM-dd HH:mm:ss` in GMT+8. */
export function originalTime(epochMs: number): string {
  return new Date(epochMs + GMT8).toISOString().slice(0, 19).replace('T', ' ');
}
