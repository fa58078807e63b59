import { z } from 'zod';

/** Where a df-daemon tells its own machine, at the port of its mirror, what it reaches. */
export const REACH_PATH = '/debug/reach';
/** Where it tells which blobs it gave last, and where they came from. */
export const BLOBS_PATH = '/debug/blobs';

/** How long a df-daemon waits for each that it tells of there, in milliseconds: all are asked at once, so its answer takes little more. */
export const REACH_PATIENCE = 6000;

/**
 * What keeps a place from answering: `name`: its name is not resolved; `refused`: nobody listens there; `unopened`: no connection opens;
 * `silent`: one opens, and nothing comes; `certificate`: its TLS is not accepted.
 */
const fault = z.enum(['name', 'refused', 'unopened', 'silent', 'certificate']);
export type ReachFault = z.infer<typeof fault>;

const place = z.object({
  /** As it is configured: `HOST:PORT` of a supernode, the URL of a registry. */
  name: z.string(),
  /** The HTTP status that it answered with; absent: it did not. */
  status: z.number().int().optional(),
  /** Why there was no answer, as the end of a sentence. */
  why: z.string().optional(),
  /** What kind of reason that is; absent: another, or one that this version does not know. */
  fault: fault.optional().catch(undefined),
});

/** What a df-daemon reaches. */
export const daemonReach = z.object({
  version: z.string(),
  supernodes: z.array(place),
  registries: z.array(
    place.extend({
      /** The hosts that images of it are named after. */
      hosts: z.array(z.string()),
      /** Whether the daemon asked with credentials of its own. */
      own: z.boolean(),
    }),
  ),
});
export type DaemonReach = z.infer<typeof daemonReach>;

const bytes = z.number().int().min(0);

/** The blobs that a df-daemon gave last, latest first. */
export const daemonBlobs = z.array(
  z.object({
    digest: z.string(),
    userAgent: z.string(),
    status: z.number().int(),
    bytes,
    ms: z.number(),
    /** By where the bytes came from to the node; absent: the registry gave them past the swarm. */
    sources: z.object({ local: bytes, peer: bytes, supernode: bytes, origin: bytes }).optional(),
    /** Why the swarm did not give the first byte. */
    passedOnBecause: z.string().optional(),
    /** Why it did not come to its end. */
    error: z.string().optional(),
  }),
);
export type DaemonBlobs = z.infer<typeof daemonBlobs>;
