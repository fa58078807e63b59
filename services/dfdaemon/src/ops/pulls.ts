import type { Traffic } from '@cdk8s-dragonfly/engine';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import { LRUCache } from 'lru-cache';

import type { ResponseRecord } from '../mirror/response-record';

/** What is told of a pull, when nothing more of it is asked for. */
export interface PullReport {
  /** `REGISTRY/NAME:TAG`, or with the digest when no tag led there. */
  readonly image: string;
  readonly blobs: number;
  /** Bytes that the client was given of blobs. */
  readonly bytes: number;
  /** The same by where they came from to this node; what came for several at once is told of each. */
  readonly sources: Readonly<Traffic> & { readonly registry: number };
  /** From the manifest to the last byte. */
  readonly seconds: number;
  /** Blobs that were not given, or not to their end. */
  readonly failed: number;
  readonly userAgent: string;
}

interface Pull {
  readonly image: string;
  readonly wanted: ReadonlySet<Digest>;
  readonly begun: number;
  readonly userAgent: string;
  readonly sources: Record<keyof PullReport['sources'], number>;
  last: number;
  blobs: number;
  bytes: number;
  failed: number;
  timer: NodeJS.Timeout | undefined;
}

/** A pull has ended when none of its blobs was asked for during this time, in milliseconds. */
const QUIET = 10_000;
/** Pulls that are followed at a time. */
const MOST = 256;

/**
 * Puts requests together into pulls: a manifest with blobs, and the requests for these blobs from the same repository. Runtimes do not ask for
 * what they have, so a pull ends with silence.
 */
export class Pulls {
  private readonly pulls = new Map<string, Pull>();
  /** What led to a manifest by digest, by registry, repository and digest. */
  private readonly tags = new LRUCache<string, string>({ max: 1000 });

  constructor(
    private readonly report: (report: PullReport) => void,
    private readonly quiet = QUIET,
  ) {}

  /** Takes note of an answer that has ended. */
  record(record: ResponseRecord): void {
    if (record.kind === 'manifest') this.manifest(record);
    else if (record.kind === 'blob' && record.method === 'GET') this.blob(record);
  }

  /** Reports what is under way. */
  stop(): Promise<void> {
    for (const [key, pull] of [...this.pulls]) this.end(key, pull);
    return Promise.resolve();
  }

  private manifest({ registry, repository: name, reference = '', digest, names, ms, userAgent }: ResponseRecord): void {
    if (digest === undefined) return;
    const repository = `${registry}/${name}`;
    const known = this.tags.get(`${repository}@${digest}`);
    const image = reference.includes(':') ? (known ?? `${repository}@${reference}`) : `${repository}:${reference}`;
    for (const child of [digest, ...(names?.manifests ?? [])]) this.tags.set(`${repository}@${child}`, image);
    if (names === undefined || names.blobs.length === 0) return;
    const key = `${repository}@${digest}`;
    if (this.pulls.has(key)) return;
    const [oldest] = this.pulls;
    if (oldest !== undefined && this.pulls.size >= MOST) this.end(...oldest);
    const now = performance.now();
    const sources = { local: 0, peer: 0, supernode: 0, origin: 0, registry: 0 };
    const begun = now - ms;
    const counts = { last: now, blobs: 0, bytes: 0, failed: 0, timer: undefined };
    const pull: Pull = { image, wanted: new Set(names.blobs), begun, userAgent, sources, ...counts };
    this.pulls.set(key, pull);
    this.wait(key, pull);
  }

  private blob({ registry, repository, digest, bytes, sources, error }: ResponseRecord): void {
    if (digest === undefined) return;
    const begin = `${registry}/${repository}@`;
    for (const [key, pull] of this.pulls) {
      if (!key.startsWith(begin) || !pull.wanted.has(digest)) continue;
      pull.blobs += 1;
      pull.bytes += bytes;
      pull.last = performance.now();
      if (error !== undefined) pull.failed += 1;
      if (sources === undefined) pull.sources.registry += bytes;
      else
        for (const source of ['local', 'peer', 'supernode', 'origin'] as const) pull.sources[source] += sources[source];
      this.wait(key, pull);
    }
  }

  private wait(key: string, pull: Pull): void {
    clearTimeout(pull.timer);
    pull.timer = setTimeout(() => this.end(key, pull), this.quiet);
    pull.timer.unref();
  }

  private end(key: string, pull: Pull): void {
    clearTimeout(pull.timer);
    this.pulls.delete(key);
    // A manifest alone: the client has the image.
    if (pull.blobs === 0) return;
    const { image, blobs, bytes, sources, failed, userAgent, begun, last } = pull;
    const seconds = Math.round(last - begun) / 1000;
    this.report({ image, blobs, bytes, sources, seconds, failed, userAgent });
  }
}
