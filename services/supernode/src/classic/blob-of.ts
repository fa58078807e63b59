import { digestInUrl, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, RegistryRequest } from '@cdk8s-dragonfly/protocol';

/** The blob that an original client's registration means: the one whose digest its URL names, else what its task id stands for. */
export function blobOf(request: RegistryRequest): BlobId {
  return digestInUrl(new URL(request.rawUrl)) ?? `task:${taskIdOf(request)}`;
}
