import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { formatBytes } from '@cdk8s-dragonfly/command';
import { isDigest, jsonOf } from '@cdk8s-dragonfly/protocol';
import type { DaemonBlobs, DaemonReach, Digest } from '@cdk8s-dragonfly/protocol';
import { z } from 'zod';

import { NoAnswer } from './daemon-client';
import type { DaemonClient } from './daemon-client';
import type { Finding } from './finding';
import type { ImageName } from './image-name';

type Sources = NonNullable<DaemonBlobs[number]['sources']>;

/** At most this number of layers is fetched to find one that is not on the node. */
const MOST_LAYERS = 4;
/** Blobs of at most so many bytes come from the supernode in one answer. */
const SMALL = 1024 * 1024;
/** How often, and how long, in milliseconds, the daemon is asked what became of a blob whose last byte is here. */
const LOOK_EVERY = 50;
const LOOK_FOR = 2000;

const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const digest = z.string().refine((text): text is Digest => isDigest(text));
const INDEX = z.object({
  manifests: z.array(z.object({ digest, platform: z.object({ os: z.string(), architecture: z.string() }).optional() })),
});
const MANIFEST = z.object({
  layers: z.array(z.object({ digest, size: z.number().int().min(0), urls: z.array(z.string()).optional() })),
});
type Layer = z.infer<typeof MANIFEST>['layers'][number];

/** Whose help a df-daemon can have: it has no supernode, none that answers, or one. */
type Help = 'none' | 'silent' | 'there';

function helpFrom(supernodes: DaemonReach['supernodes']): Help {
  if (supernodes.length === 0) return 'none';
  return supernodes.some(({ status }) => status !== undefined) ? 'there' : 'silent';
}

/** What to do about a layer that came from the registry. */
const ADVICE: Readonly<Record<Help, string>> = {
  none: 'give the df-daemon a supernode',
  silent: 'no supernode answers, as said above: with one that does, try again',
  there:
    'the supernode did not help: see that its --allow-origin names this registry, that it reaches it, and that its disk has room; both logs say why',
};

/** The test went wrong; the finding says how. */
class Failed extends Error {
  constructor(readonly finding: Pick<Finding, 'says' | 'advice'>) {
    super(finding.says);
  }
}

/** Fetches a layer of an image as a runtime would, and says where it came from. */
export class BlobTest {
  private readonly userAgent = `dfget-doctor/${randomBytes(8).toString('hex')}`;
  private readonly base: string;
  private readonly shown: string;

  constructor(
    private readonly daemon: DaemonClient,
    private readonly image: ImageName,
  ) {
    this.base = `/v2/${image.host}/${image.repository}`;
    this.shown = `${image.host}/${image.repository}${image.reference.includes(':') ? '@' : ':'}${image.reference}`;
  }

  /** @param reach what the daemon told of its registries. */
  async run({ registries, supernodes }: DaemonReach): Promise<Finding> {
    const hosts = registries.flatMap(({ hosts: names }) => names);
    const subject = 'test blob';
    try {
      if (!hosts.includes(this.image.host.toLowerCase())) {
        throw new Failed({
          says: `the df-daemon serves no registry ${this.image.host}`,
          advice: `give --image of one of ${withoutUsualPorts(hosts).join(', ')}, or give the df-daemon --registry ${this.image.host}=URL`,
        });
      }
      return { subject, ...(await this.layers(helpFrom(supernodes))) };
    } catch (error) {
      if (error instanceof Failed) return { subject, state: 'fail', ...error.finding };
      if (!(error instanceof NoAnswer)) throw error;
      return {
        subject,
        state: 'fail',
        says: `a layer of ${this.shown} did not come: ${error.message}`,
        advice: 'the log of the df-daemon says what it waited for; a runtime would hang or fail in the same way',
      };
    }
  }

  private async layers(help: Help): Promise<Omit<Finding, 'subject'>> {
    const own = (await this.manifest()).layers.filter(({ urls = [] }) => urls.length === 0);
    const large = own.filter(({ size }) => size > SMALL).sort((one, two) => one.size - two.size);
    const small = own.filter(({ size }) => size <= SMALL).sort((one, two) => two.size - one.size);
    for (const layer of [...large, ...small].slice(0, MOST_LAYERS)) {
      const began = performance.now();
      await this.fetch(layer);
      const ms = performance.now() - began;
      const told = await this.told(layer);
      if (told.sources === undefined || told.sources.local < layer.size) return judge(layer, ms, told, help);
    }
    return {
      state: 'skip',
      says: `the layers of ${this.shown} that were asked for are on this node already`,
      advice: 'give --image of an image that this node has not pulled and others have',
    };
  }

  private async manifest(reference = this.image.reference, depth = 0): Promise<z.infer<typeof MANIFEST>> {
    const answer = await this.daemon.get(`${this.base}/manifests/${reference}`, {
      accept: ACCEPT,
      'user-agent': this.userAgent,
    });
    const text = await answer.text();
    if (answer.status !== 200) throw refused(`the manifest of ${this.shown}`, answer.status, text);
    const document = jsonOf(text);
    const manifest = MANIFEST.safeParse(document);
    if (manifest.success) return manifest.data;
    const index = INDEX.safeParse(document);
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const entries = index.success ? index.data.manifests : [];
    const entry =
      entries.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture) ?? entries[0];
    if (entry !== undefined && depth < 2) return this.manifest(entry.digest, depth + 1);
    throw new Failed({
      says: `${this.shown} is no image with layers`,
      advice: 'give --image of a container image',
    });
  }

  private async fetch(layer: Layer): Promise<void> {
    const answer = await this.daemon.get(`${this.base}/blobs/${layer.digest}`, { 'user-agent': this.userAgent });
    if (answer.status !== 200) {
      throw refused(`the layer ${layer.digest}`, answer.status, await answer.text());
    }
    const hash = createHash('sha256');
    await answer.chunks((chunk) => hash.update(chunk));
    const got = `sha256:${hash.digest('hex')}`;
    if (got !== layer.digest) {
      throw new Failed({
        says: `the layer ${layer.digest} came with other bytes, of the digest ${got}`,
        advice: 'the registry, or a proxy or cache before it, changes content: compare with a pull past the mirror',
      });
    }
  }

  /** What the daemon tells of the layer that was just fetched: it does so when its connection has taken the last byte. */
  private async told(layer: Layer): Promise<DaemonBlobs[number]> {
    const end = performance.now() + LOOK_FOR;
    for (;;) {
      const blobs = await this.daemon.blobs();
      const told = blobs.find((one) => one.digest === layer.digest && one.userAgent === this.userAgent);
      if (told !== undefined) return told;
      if (performance.now() > end) throw new NoAnswer('the df-daemon does not tell where it came from', 'broken');
      await delay(LOOK_EVERY);
    }
  }
}

function judge(
  layer: Layer,
  ms: number,
  { sources, passedOnBecause = '' }: DaemonBlobs[number],
  help: Help,
): Omit<Finding, 'subject'> {
  const came = `a layer of ${formatBytes(layer.size)} came in ${(ms / 1000).toFixed(1)} s`;
  if (sources === undefined) {
    return {
      state: 'fail',
      says: `${came}, but from the registry itself: ${passedOnBecause}`,
      advice:
        'the log of the df-daemon has the same reason; if this image is private, give the df-daemon --registry-auth',
    };
  }
  const says = `${came}: ${listOf(sources)}`;
  if (sources.origin > 0) {
    return { state: help === 'none' ? 'warn' : 'fail', says, advice: ADVICE[help] };
  }
  if (sources.peer === 0) {
    return {
      state: 'ok',
      says: `${says}; no other node had it`,
      ...(layer.size <= SMALL
        ? {
            advice:
              'to see that peers help, give --image with a layer of more than 1 MiB, that other nodes have pulled',
          }
        : { advice: 'to see that peers help, give --image of an image that other nodes have pulled' }),
    };
  }
  return { state: 'ok', says };
}

function listOf({ peer, supernode, origin }: Sources): string {
  const parts = [
    [peer, 'peers'],
    [supernode, 'the supernode'],
    [origin, 'the registry'],
  ] as const;
  return parts
    .filter(([bytes]) => bytes > 0)
    .map(([bytes, name]) => `${formatBytes(bytes)} from ${name}`)
    .join(', ');
}

function refused(what: string, status: number, text: string): Failed {
  const said = z
    .object({ errors: z.array(z.object({ message: z.string().optional(), code: z.string().optional() })).min(1) })
    .safeParse(jsonOf(text));
  const [first] = said.success ? said.data.errors : [];
  const why = first?.message ?? first?.code ?? '';
  const advice =
    status === 401 || status === 403
      ? 'the image is private: give the df-daemon --registry-auth, or name an image that anybody may pull'
      : status === 404
        ? 'see that the image is there, and spelled right'
        : 'see what the lines above and the log of the df-daemon say of the registry';
  return new Failed({
    says: `${what} is answered with ${status}${why === '' ? '' : `: ${why.slice(0, 300)}`}`,
    advice,
  });
}

/** A host with the port of https says nothing new beside itself without one. */
function withoutUsualPorts(hosts: readonly string[]): readonly string[] {
  return hosts.filter((host) => !host.endsWith(':443') || !hosts.includes(host.slice(0, -4)));
}
