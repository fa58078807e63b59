import type { ResponseRecord } from '../../src/index';

/** A manifest that the registry gave, 100 bytes in 5 ms. */
export const MANIFEST: ResponseRecord = {
  kind: 'manifest',
  method: 'GET',
  registry: 'ghcr.io',
  repository: 'team/app',
  reference: undefined,
  digest: undefined,
  names: undefined,
  manifest: 'registry',
  from: 'registry',
  sources: undefined,
  firstByteMs: undefined,
  reason: undefined,
  status: 200,
  bytes: 100,
  ms: 5,
  userAgent: 'containerd/1.7',
  passedOnBecause: undefined,
  error: undefined,
};
