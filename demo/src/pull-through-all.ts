import { CommandError, type CommandContext } from '@cdk8s-dragonfly/command';
import type { ClusterPlan } from './cluster/plan/plan-cluster';
import { readBytesBySource } from './cluster/run/node-stats';
import { patienceFor } from './plan-run';
import { PullError } from './puller/pull-error';
import { pullImage } from './puller/pull-image';
import type { EmbeddedRegistry } from './registry/embedded-registry';
import type { GeneratedImage } from './registry/generated-image';
import { pullProgress, type PullProgress } from './report/pull-progress';
import type { BlobResult, NodeResult, RunResult } from './report/result';

/** How long a mirror on a machine of its own may stand still, in milliseconds. */
const STALL_TIMEOUT = 30_000;

export interface PullThroughAllOptions {
  readonly plan: ClusterPlan;
  readonly image: GeneratedImage;
  readonly registry: EmbeddedRegistry;
  readonly name: string;
  readonly tag: string;
  readonly ctx: Pick<CommandContext, 'signal' | 'stdout'>;
}

/** Pulls the image through every node's mirror at once, and asks the nodes where their bytes came from. */
export async function pullThroughAll(options: PullThroughAllOptions): Promise<RunResult> {
  const { plan, image, registry, ctx } = options;
  const nodes = plan.perNode.map(({ name, addresses }) => ({
    node: name,
    mirror: `http://${addressOf(addresses, 'port')}`,
    ops: addressOf(addresses, 'opsListen'),
  }));
  const progress = pullProgress(
    ctx.stdout,
    nodes.map(({ node }) => node),
    image.config.size + image.layerBytes,
  );
  try {
    const results = await Promise.all(nodes.map((node) => pullThrough(node, options, progress)));
    ctx.signal.throwIfAborted();
    return {
      nodes: results,
      blobs: blobsOf(image, registry),
      imageBytes: image.totalBytes,
      registryBytes: registry.traffic.bytes,
    };
  } finally {
    progress.stop();
  }
}

async function pullThrough(
  { node, mirror, ops }: { readonly node: string; readonly mirror: string; readonly ops: string },
  { plan, image, name, tag, ctx: { signal } }: PullThroughAllOptions,
  progress: PullProgress,
): Promise<NodeResult> {
  try {
    const onProgress = (bytes: number) => progress.update(node, bytes);
    const stallTimeoutMs = STALL_TIMEOUT * patienceFor(plan.perNode.length);
    const pulled = await pullImage({ mirror, name, tag, signal, onProgress, stallTimeoutMs });
    if (pulled.manifestDigest !== image.manifest.digest) {
      return { node, failure: `the manifest has the digest ${pulled.manifestDigest}, not ${image.manifest.digest}` };
    }
    return { node, pulled, sources: await readBytesBySource(ops, signal) };
  } catch (error) {
    if (error instanceof PullError || error instanceof CommandError) return { node, failure: error.message };
    throw error;
  }
}

function blobsOf(image: GeneratedImage, registry: EmbeddedRegistry): readonly BlobResult[] {
  return [image.config, ...image.layers].map(({ digest, size }, index) => ({
    what: index === 0 ? 'config' : `layer ${index}`,
    digest,
    size,
    traffic: registry.traffic.blob(digest),
  }));
}

/** @throws CommandError when the plan has no such listener */
export function addressOf(addresses: ReadonlyMap<string, string>, flag: string): string {
  const address = addresses.get(flag);
  if (address === undefined) throw new CommandError(`the DaemonSet runs no dfdaemon: nothing listens for ${flag}`);
  return address;
}
