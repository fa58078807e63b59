import { isDigest } from '@cdk8s-dragonfly/protocol';
import type { BlobId, RegistryRequest } from '@cdk8s-dragonfly/protocol';

import type { TaskSource } from './task';

/**
 * Where a registration says that the blob is to be had. Its MD5 belongs to the source only when it is part of the blob's name: a wrong one
 * in one client's registration must not spoil what others know by its digest.
 */
export function sourceOf(blob: BlobId, { rawUrl, headers, md5 }: RegistryRequest): TaskSource {
  const url = new URL(rawUrl);
  return isDigest(blob) || md5 === undefined ? { url, headers } : { url, headers, md5: md5.toLowerCase() };
}
