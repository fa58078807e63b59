import type { Traffic, UnavailableReason } from '@cdk8s-dragonfly/engine';
import type { Digest } from '@cdk8s-dragonfly/protocol';
import type { ManifestSource } from '../manifests/manifest-answer';
import type { ManifestNames } from '../manifests/manifest-names';
import type { Route } from './route';

/** What happened to one request, fit for a log: no header values but the user agent, no query. */
export interface ResponseRecord {
  readonly kind: Route['kind'];
  readonly method: string;
  /** The registry, as the client named it; else the host of the default one. Undefined: the mirror answered by itself. */
  readonly registry: string | undefined;
  /** The repository. */
  readonly repository: string | undefined;
  /** The tag or digest of a manifest, as it was asked for. */
  readonly reference: string | undefined;
  /** The blob, or the manifest if it is known. */
  readonly digest: Digest | undefined;
  /** What the manifest names. */
  readonly names: ManifestNames | undefined;
  /** How a manifest was answered. */
  readonly manifest: ManifestSource | undefined;
  /** Where a blob's bytes came from: `registry` when the swarm could not give the first one. */
  readonly from: 'swarm' | 'registry' | 'mirror';
  /** Bytes of the blob by where they came from to this node, for all who asked for it meanwhile; undefined: not through the swarm. */
  readonly sources: Traffic | undefined;
  /** From the head of the request to the first byte of a blob. */
  readonly firstByteMs: number | undefined;
  /** Why the swarm could not give a blob, or its rest. */
  readonly reason: UnavailableReason | undefined;
  /** 0 when the client went away before there was one. */
  readonly status: number;
  /** Bytes of the body. */
  readonly bytes: number;
  /** From the head of the request to the end of the answer. */
  readonly ms: number;
  readonly userAgent: string;
  /** Why the swarm could not give the first byte of a blob, in one sentence. */
  readonly passedOnBecause: string | undefined;
  /** Why the answer is incomplete or an error of ours, in one sentence. */
  readonly error: string | undefined;
}
