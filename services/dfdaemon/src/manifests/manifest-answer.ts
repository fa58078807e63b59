import { timeoutSignal } from '@cdk8s-dragonfly/command';
import type { Outlook } from '@cdk8s-dragonfly/engine';
import type { RelayAnswer } from '@cdk8s-dragonfly/origin';
import { digestOf, headerValues, isDigest } from '@cdk8s-dragonfly/protocol';
import type { Digest, HeaderLine } from '@cdk8s-dragonfly/protocol';
import { LRUCache } from 'lru-cache';

import type { BlobAccess } from '../access/blob-access';
import type { Claim } from '../access/blob-rights';
import type { Exchange } from '../mirror/exchange';
import { blobHeaders } from '../mirror/headers';
import { OUT_OF_ORDER, ask, badGateway, passOn } from '../mirror/relay';
import type { Registry } from '../mirror/relay';
import type { ManifestRoute } from '../mirror/route';
import type { UnhadBlobs } from '../mirror/unhad-blobs';
import { LARGEST_MANIFEST, decodedManifest, namesIn } from './manifest-names';
import type { ManifestNames } from './manifest-names';
import type { Manifest, ManifestStore, TagName } from './manifest-store';
import type { TagPolicy } from './tag-policy';

/** What manifests are answered with. */
export interface ManifestTools {
  readonly store: ManifestStore;
  readonly policy: TagPolicy;
  readonly access: BlobAccess;
  readonly unhad: UnhadBlobs;
  readonly provider: Outlook;
  /** The registries as anybody sees them, to learn what is public. */
  readonly anybody: Registry;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/** A request for a manifest. */
export interface ManifestQuestion {
  readonly route: ManifestRoute;
  readonly upstream: URL;
  /** The registry as the client reaches it. */
  readonly registry: Registry;
  readonly claim: Claim;
}

/** How a manifest was answered. */
export type ManifestSource =
  /** By its registry. */
  | 'registry'
  /** From what is kept, within the time of the policy. */
  | 'kept'
  /** From what is kept, since the registry cannot be asked. */
  | 'stale';

/** What became of it. */
export interface ManifestOutcome {
  readonly source: ManifestSource;
  readonly digest: Digest | undefined;
  readonly names: ManifestNames | undefined;
}

/** How long it is waited for what the swarm says of blobs, in milliseconds. */
const REACH = 3000;
/** Of an image with more blobs it is not found out whether they are within reach: each is a download that begins. */
const MOST_BLOBS = 512;
/** How often it is asked whether a tag is public, in milliseconds. */
const ASK_PUBLIC_EVERY = 3_600_000;
/** Answers to somebody who may not see it. */
const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404]);
/** Its digest is not that of its bytes: signatures in it do not count. */
const SIGNED = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:prettyjws|json)/;

/** Answers manifests: from the registry, checked, and from what is kept when the policy or an outage says so. */
export class ManifestAnswers {
  private readonly askedPublic: LRUCache<string, true>;

  constructor(private readonly tools: ManifestTools) {
    const { now } = tools;
    this.askedPublic = new LRUCache({ max: 10_000, ttl: ASK_PUBLIC_EVERY, perf: { now }, ttlResolution: 0 });
  }

  /** @throws what kept it from an answer; the client was given a 502 that says so, or its connection is to be cut. */
  async answer(exchange: Exchange, question: ManifestQuestion): Promise<ManifestOutcome> {
    const { policy, store, now } = this.tools;
    const tag = tagOf(question);
    const seen = tag === undefined ? undefined : store.tag(tag);
    if (seen !== undefined && isFresh(seen.seenAt, now(), policy.ttl)) {
      const kept = await this.kept(exchange, question, seen.digest);
      if (kept !== undefined) return this.give(exchange, question, kept, 'kept', []);
    }
    let answer: RelayAnswer;
    try {
      answer = await ask(exchange, question.route, question);
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      return this.inOutage(exchange, question, error);
    }
    if (OUT_OF_ORDER.has(answer.status)) {
      const stale = await this.stale(exchange, question);
      if (stale !== undefined) {
        answer.discard();
        return this.give(exchange, question, stale, 'stale', warningFor(question));
      }
    }
    if (answer.status !== 200) {
      await passOn(exchange, question.route, question, answer);
      return { source: 'registry', digest: undefined, names: undefined };
    }
    return question.route.method === 'HEAD'
      ? this.head(exchange, question, answer, tag)
      : this.body(exchange, question, answer, tag);
  }

  private async head(
    exchange: Exchange,
    question: ManifestQuestion,
    answer: RelayAnswer,
    tag: TagName | undefined,
  ): Promise<ManifestOutcome> {
    const [digest] = headerValues(answer.headers, 'docker-content-digest').filter(isDigest);
    const known = digest === undefined ? undefined : await this.tools.store.find(digest);
    const names = known === undefined ? undefined : namesIn(known.body);
    if (names !== undefined) this.refuseUnhad(exchange, names);
    // docker and containerd ask by HEAD what a tag means, and for that by its digest: no other request of their pull names the tag.
    if (tag !== undefined && digest !== undefined) this.see(question, tag, digest);
    await passOn(exchange, question.route, question, answer);
    return { source: 'registry', digest, names };
  }

  private async body(
    exchange: Exchange,
    question: ManifestQuestion,
    answer: RelayAnswer,
    tag: TagName | undefined,
  ): Promise<ManifestOutcome> {
    const { store, access } = this.tools;
    const { headers } = answer;
    let collected: Collected;
    try {
      collected = await exchange.wait(collect(answer.body), exchange.patience.source, 'no byte came');
    } catch (error) {
      if (exchange.signal.aborted) throw error;
      return this.inOutage(exchange, question, error);
    }
    const raw = Buffer.concat(collected.chunks);
    const body =
      collected.rest === undefined ? decodedManifest(raw, headerValues(headers, 'content-encoding')[0]) : undefined;
    if (body === undefined) {
      exchange.head(200, headers);
      await exchange.send(rejoined(collected), undefined);
      return { source: 'registry', digest: undefined, names: undefined };
    }
    const mediaType = headerValues(headers, 'content-type')[0] ?? 'application/json';
    const digest = digestOf(body);
    this.refuseWrong(exchange, question, headers, mediaType, digest);
    const names = namesIn(body);
    this.refuseUnhad(exchange, names);
    access.grant(question.claim, [digest, ...names.blobs, ...names.manifests]);
    store.keep({ digest, mediaType, body });
    if (tag !== undefined) this.see(question, tag, digest);
    const lines = headers.filter(([name]) => name.toLowerCase() !== 'content-length');
    exchange.reply(200, lines, raw);
    return { source: 'registry', digest, names };
  }

  /** Takes note of what a tag means, and looks now and then whether anybody may see it: what was public may be so no more. */
  private see(question: ManifestQuestion, tag: TagName, digest: Digest): void {
    const { store, now, anybody } = this.tools;
    const { claim, upstream, route } = question;
    const isAnybody = claim.authorization === undefined;
    const last = store.tag(tag);
    const before = last === undefined || store.has(last.digest) ? last?.digest : last.before;
    store.see(tag, { digest, seenAt: now(), isPublic: isAnybody || last?.isPublic === true, before });
    const asked = `${upstream.href} ${route.name} ${route.reference}`;
    if (isAnybody || this.askedPublic.has(asked)) return;
    this.askedPublic.set(asked, true);
    const accept: HeaderLine = ['Accept', '*/*'];
    const path = `/v2/${route.name}/manifests/${route.reference}`;
    anybody.send({ registry: upstream, method: 'HEAD', path, headers: [accept] }, AbortSignal.timeout(REACH * 5)).then(
      (answer) => {
        answer.discard();
        const latest = store.tag(tag);
        const isPublic = answer.status === 200;
        if (latest !== undefined && (isPublic || REFUSALS.has(answer.status))) store.see(tag, { ...latest, isPublic });
      },
      () => undefined, // not known to be public, then
    );
  }

  /** The client gets another one's manifest for what it asked: podman and containerd would take it for an attack, and fail. */
  private refuseWrong(
    exchange: Exchange,
    { route, upstream }: ManifestQuestion,
    headers: readonly HeaderLine[],
    mediaType: string,
    digest: Digest,
  ): void {
    if (SIGNED.test(mediaType)) return;
    const [told] = headerValues(headers, 'docker-content-digest');
    const wanted = isDigest(route.reference) ? route.reference : told;
    if (wanted === undefined || !isDigest(wanted) || wanted === digest) return;
    const error = new Error(`Registry ${upstream.host} sent a manifest with the digest ${digest} for ${wanted}.`);
    badGateway(exchange, error);
    throw error;
  }

  private refuseUnhad(exchange: Exchange, names: ManifestNames): void {
    const missing = this.tools.unhad.find(names.blobs);
    if (missing === undefined) return;
    const error = new Error(`Its blob ${missing.blob} cannot be had here at the moment: ${missing.why}`);
    badGateway(exchange, error);
    throw error;
  }

  private async inOutage(exchange: Exchange, question: ManifestQuestion, error: unknown): Promise<ManifestOutcome> {
    const stale = await this.stale(exchange, question);
    if (stale !== undefined) return this.give(exchange, question, stale, 'stale', warningFor(question));
    if (!exchange.signal.aborted) badGateway(exchange, error);
    throw error;
  }

  /** What was last seen, if it may be given and all that it names is within reach. */
  private async stale(exchange: Exchange, question: ManifestQuestion): Promise<Manifest | undefined> {
    const { policy, store } = this.tools;
    const tag = tagOf(question);
    const { reference } = question.route;
    if (tag !== undefined && !policy.stale) return undefined;
    const seen = tag === undefined ? undefined : store.tag(tag);
    // What it came to mean and nobody pulled is not here to be given.
    const last = seen === undefined || store.has(seen.digest) ? seen?.digest : seen.before;
    const digest = tag === undefined ? reference : last;
    if (digest === undefined || !isDigest(digest)) return undefined;
    const kept = await this.kept(exchange, question, digest);
    if (kept === undefined) return undefined;
    const within = await exchange.wait(
      this.isWithinReach(exchange, question, kept),
      REACH * 4,
      'the swarm did not answer',
    );
    return within ? kept : undefined;
  }

  /** A manifest that is kept, if this client may have it and takes its type. */
  private async kept(exchange: Exchange, question: ManifestQuestion, digest: Digest): Promise<Manifest | undefined> {
    const { store, access, unhad } = this.tools;
    const { claim } = question;
    const tag = tagOf(question);
    if (!access.remembers(claim, digest) && (tag === undefined || store.tag(tag)?.isPublic !== true)) return undefined;
    const manifest = await store.find(digest);
    if (manifest === undefined || !accepts(exchange, manifest.mediaType)) return undefined;
    return unhad.find(namesIn(manifest.body).blobs) === undefined ? manifest : undefined;
  }

  /** All blobs of an image, or of one image of an index: its others were never asked for here. */
  private async isWithinReach(exchange: Exchange, question: ManifestQuestion, manifest: Manifest): Promise<boolean> {
    const { blobs, manifests } = namesIn(manifest.body);
    if (manifests.length === 0) return this.areWithinReach(exchange, question, blobs);
    for (const digest of manifests) {
      const child = await this.tools.store.find(digest);
      if (child !== undefined && (await this.areWithinReach(exchange, question, namesIn(child.body).blobs)))
        return true;
    }
    return false;
  }

  private async areWithinReach(
    exchange: Exchange,
    { route, upstream }: ManifestQuestion,
    blobs: readonly Digest[],
  ): Promise<boolean> {
    if (blobs.length > MOST_BLOBS) return false;
    const signal = AbortSignal.any([exchange.signal, timeoutSignal(REACH)]);
    const headers = blobHeaders(exchange.request.rawHeaders);
    const found = await Promise.all(
      blobs.map(async (blob) => {
        const url = new URL(`/v2/${route.name}/blobs/${blob}`, upstream);
        return this.tools.provider.isWithinReach({ blob, url, headers }, signal);
      }),
    );
    return found.every((within) => within);
  }

  private give(
    exchange: Exchange,
    { claim }: ManifestQuestion,
    { digest, mediaType, body }: Manifest,
    source: ManifestSource,
    more: readonly HeaderLine[],
  ): ManifestOutcome {
    const names = namesIn(body);
    const { access } = this.tools;
    // A right that is remembered is not renewed by its own use: it lasts as long as the registry's word.
    const own = access.remembers(claim, digest) ? [] : [digest];
    access.grant(claim, [...own, ...names.blobs, ...names.manifests]);
    const lines: HeaderLine[] = [
      ['Content-Type', mediaType],
      ['Docker-Content-Digest', digest],
      ['ETag', `"${digest}"`],
      ...more,
    ];
    exchange.reply(200, lines, body);
    return { source, digest, names };
  }
}

interface Collected {
  readonly chunks: readonly Buffer[];
  /** What follows, when it is too long for a manifest. */
  readonly rest: AsyncIterator<Buffer> | undefined;
}

async function collect(body: AsyncIterable<Buffer>): Promise<Collected> {
  const rest = body[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  for (let length = 0; length <= LARGEST_MANIFEST;) {
    const step = await rest.next();
    if (step.done === true) return { chunks, rest: undefined };
    chunks.push(step.value);
    length += step.value.length;
  }
  return { chunks, rest };
}

async function* rejoined({ chunks, rest }: Collected): AsyncGenerator<Buffer> {
  yield* chunks;
  if (rest !== undefined) yield* { [Symbol.asyncIterator]: () => rest };
}

function tagOf({ route, upstream }: ManifestQuestion): TagName | undefined {
  const { name, reference } = route;
  return reference.includes(':') ? undefined : { upstream, name, tag: reference };
}

/** RFC 9111, 5.5 in its older form, which caches still send; what a digest names is never stale. */
function warningFor(question: ManifestQuestion): readonly HeaderLine[] {
  return tagOf(question) === undefined ? [] : [['Warning', '110 dfdaemon "Response is Stale"']];
}

function accepts({ request }: Exchange, mediaType: string): boolean {
  const accept = request.headers.accept ?? '';
  const types = accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase());
  const [type = ''] = mediaType.toLowerCase().split(';');
  return accept === '' || types.includes('*/*') || types.includes(type.trim()) || types.includes('application/*');
}

/** What was seen in the time to come was seen before the clock was set back: nobody knows how long ago. */
function isFresh(seenAt: number, now: number, ttl: number): boolean {
  const age = now - seenAt;
  return age >= 0 && age < ttl;
}
