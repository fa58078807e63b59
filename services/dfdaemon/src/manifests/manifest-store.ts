import { readFile, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import { digestOf, hexOf, isDigest, jsonOf } from '@cdk8s-dragonfly/protocol';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { makeFolder } from '@cdk8s-dragonfly/store';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';

/** A manifest as a registry gave it. */
export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly body: Buffer;
}

/** What a tag meant when it was last seen. */
export interface SeenTag {
  readonly digest: Digest;
  /** Milliseconds since 1970. */
  readonly seenAt: number;
  /** Whether the registry gives it to anybody. */
  readonly isPublic: boolean;
  /** What it meant before, if that manifest is kept and this one was not yet: what it means was asked, and nothing pulled. */
  readonly before?: Digest | undefined;
}

/** Where a tag stands. */
export interface TagName {
  readonly upstream: URL;
  readonly name: string;
  readonly tag: string;
}

/** How much is kept. */
export interface ManifestLimits {
  /** Bytes of manifests. Default 64 MiB. */
  readonly bytes?: number;
  /** Default 20,000. */
  readonly tags?: number;
}

const DIGEST = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const TAG = z.object({ digest: DIGEST, seenAt: z.number(), isPublic: z.boolean(), before: DIGEST.optional() });
/** So much waits for the disk, and manifests of so many bytes; what would wait longer is not kept there: it hangs, or takes no more. */
const MOST_WAITING = 256;
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
/** A manifest that the disk does not bring within this time, in milliseconds, is not here: the registry is asked. */
const READS_WITHIN = 2000;
const MANIFEST_FILE = /^[0-9a-f]{64}$/;
const TAG_FILE = /^[0-9a-f]{64}\.tag$/;

/**
 * Manifests by digest, and what tags meant, on disk: for the time when a registry cannot be asked. What was not used for the longest time goes
 * first. Whatever is read is checked by its digest; a file that is torn or wrong is forgotten. A disk that fails costs what it would have kept.
 */
export class ManifestStore {
  private readonly manifests: LRUCache<Digest, number>;
  private readonly tags: LRUCache<string, SeenTag>;
  /** Those that the disk has not taken yet. */
  private readonly unwritten = new Map<Digest, Manifest>();
  private unwrittenBytes = 0;
  private writes = 0;
  private waiting = 0;
  private working: Promise<void> = Promise.resolve();

  private constructor(
    private readonly folder: string,
    private readonly log: { warn(fields: object, message: string): void },
    limits: ManifestLimits,
  ) {
    this.manifests = new LRUCache({
      maxSize: limits.bytes ?? 64 * 1024 * 1024,
      sizeCalculation: (size) => Math.max(1, size),
      dispose: (_size, digest, reason) => {
        if (reason === 'evict') this.later(() => unlink(this.manifestFile(digest)));
      },
    });
    this.tags = new LRUCache({
      max: limits.tags ?? 20_000,
      dispose: (_tag, key, reason) => {
        if (reason === 'evict') this.later(() => unlink(this.tagFile(key)));
      },
    });
  }

  /** Takes up what an earlier process left below `home`. */
  static async open(
    home: string,
    log: { warn(fields: object, message: string): void },
    limits: ManifestLimits = {},
  ): Promise<ManifestStore> {
    const store = new ManifestStore(join(home, 'manifests'), log, limits);
    await store.takeStock().catch((error: unknown) => log.warn({ err: error }, 'manifests cannot be kept on disk'));
    return store;
  }

  /** Keeps a manifest. */
  keep(manifest: Manifest): void {
    const { digest, mediaType, body } = manifest;
    if (this.manifests.get(digest) !== undefined || this.waiting >= MOST_WAITING) return;
    if (this.unwrittenBytes + body.length > MOST_WAITING_BYTES) return;
    const head = Buffer.from(`${JSON.stringify({ mediaType })}\n`);
    const write = async (): Promise<void> => {
      try {
        await this.write(this.manifestFile(digest), Buffer.concat([head, body]));
      } finally {
        this.unwritten.delete(digest);
        this.unwrittenBytes -= body.length;
      }
    };
    this.unwritten.set(digest, manifest);
    this.unwrittenBytes += body.length;
    this.manifests.set(digest, body.length);
    this.later(write);
  }

  /** A tag means this now, says its registry. */
  see(tag: TagName, seen: SeenTag): void {
    const key = keyOf(tag);
    this.tags.set(key, seen);
    if (this.waiting >= MOST_WAITING) return;
    this.later(() => this.write(this.tagFile(key), Buffer.from(JSON.stringify(seen))));
  }

  /** What a tag meant when its registry was last asked. */
  tag(tag: TagName): SeenTag | undefined {
    return this.tags.get(keyOf(tag));
  }

  /** Whether the manifest was kept; it may be damaged by now. */
  has(digest: Digest): boolean {
    return this.manifests.has(digest);
  }

  /** The manifest, if it is here and undamaged. */
  async find(digest: Digest): Promise<Manifest | undefined> {
    if (this.manifests.get(digest) === undefined) return undefined;
    const unwritten = this.unwritten.get(digest);
    if (unwritten !== undefined) return unwritten;
    try {
      const file = await inTime(readFile(this.manifestFile(digest)), READS_WITHIN);
      const end = file.indexOf(0x0a);
      const { mediaType } = z.object({ mediaType: z.string() }).parse(JSON.parse(file.toString('utf8', 0, end)));
      const body = file.subarray(end + 1);
      if (digestOf(body) === digest) return { digest, mediaType, body };
      this.log.warn({ digest }, 'a manifest on disk was damaged and is forgotten');
    } catch (error) {
      this.log.warn({ digest, err: error }, 'a manifest on disk cannot be read');
      // It is there, and may come the next time.
      if (error instanceof LateDisk) return undefined;
    }
    this.manifests.delete(digest);
    return undefined;
  }

  /** Resolves when all is written. */
  async stop(): Promise<void> {
    await this.working;
  }

  private async takeStock(): Promise<void> {
    await makeFolder(this.folder);
    const files: { readonly file: string; readonly size: number; readonly mtimeMs: number }[] = [];
    for (const file of await readdir(this.folder)) {
      if (MANIFEST_FILE.test(file) || TAG_FILE.test(file)) {
        const { size, mtimeMs } = await stat(join(this.folder, file));
        files.push({ file, size, mtimeMs });
      } else {
        await unlink(join(this.folder, file)); // half written, when an earlier process ended
      }
    }
    for (const { file, size } of files.sort((one, two) => one.mtimeMs - two.mtimeMs)) {
      if (MANIFEST_FILE.test(file)) this.manifests.set(`sha256:${file}`, size);
      else await this.takeTag(file);
    }
  }

  private async takeTag(file: string): Promise<void> {
    const parsed = TAG.safeParse(jsonOf(await readFile(join(this.folder, file), 'utf8')));
    if (parsed.success) this.tags.set(file.slice(0, 64), parsed.data);
    else await unlink(join(this.folder, file));
  }

  /** One after the other, so that a file is never written twice at a time. */
  private later(work: () => Promise<unknown>): void {
    this.waiting += 1;
    this.working = this.working
      .then(work)
      .then(
        () => undefined,
        (error: unknown) => this.log.warn({ err: error }, 'a manifest could not be kept on disk'),
      )
      .finally(() => (this.waiting -= 1));
  }

  private async write(path: string, bytes: Buffer): Promise<void> {
    this.writes += 1;
    const half = join(this.folder, `${this.writes}.half`);
    await writeFile(half, bytes, { mode: 0o600 });
    await rename(half, path);
  }

  private manifestFile(digest: Digest): string {
    return join(this.folder, hexOf(digest));
  }

  private tagFile(key: string): string {
    return join(this.folder, `${key}.tag`);
  }
}

/** A disk that has not answered yet. */
class LateDisk extends Error {}

/** @throws Error when it takes longer, in milliseconds. */
async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new LateDisk(`the disk brought nothing for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function keyOf({ upstream, name, tag }: TagName): string {
  return createHash('sha256')
    .update(JSON.stringify([upstream.href, name, tag]))
    .digest('hex');
}
