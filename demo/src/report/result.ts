import type { BytesBySource } from '../cluster/run/node-stats';
import type { PulledImage } from '../puller/pull-image';
import type { BlobTraffic } from '../registry/traffic';

/** How the pull of one node went. */
export type NodeResult =
  | { readonly node: string; readonly pulled: PulledImage; readonly sources: BytesBySource }
  | { readonly node: string; readonly failure: string };

/** A blob of the image, and what left the registry of it. */
export interface BlobResult {
  /** What it is: `config`, `layer 1`. */
  readonly what: string;
  readonly digest: string;
  readonly size: number;
  readonly traffic: BlobTraffic;
}

/** How a run went. */
export interface RunResult {
  readonly nodes: readonly NodeResult[];
  readonly blobs: readonly BlobResult[];
  /** The bytes of the image: manifest, config and layers. */
  readonly imageBytes: number;
  /** All bytes that the registry sent. */
  readonly registryBytes: number;
}

/** What did not go as promised, one sentence each; none when all did. */
export function shortcomings({ nodes, blobs }: RunResult): readonly string[] {
  const failed = nodes.flatMap((result) => ('failure' in result ? [`${result.node}: ${result.failure}`] : []));
  const notOnce = blobs.flatMap(({ what, digest, size, traffic }) =>
    traffic.bytes === size
      ? []
      : [
          `The registry sent ${traffic.bytes} bytes of the ${what} in ${traffic.gets} requests instead of its ${size} bytes once (${digest}).`,
        ],
  );
  return [...failed, ...notOnce];
}
