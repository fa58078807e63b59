import { OriginRules, portOf } from '@cdk8s-dragonfly/origin';

import type { DfgetValues } from './file-order';

/**
 * Whom dfget may ask: the origin that the user named, wherever it is, and where that redirects to. It may redirect to https at the same host, whose
 * address may be an inner one; further ones of that kind are for the user to allow.
 */
export function allowedOrigins({ url, allowOrigin }: Pick<DfgetValues, 'allowOrigin' | 'url'>): OriginRules {
  const host = url.hostname;
  return new OriginRules({ allow: [{ host, port: portOf(url) }, { host, port: 443 }, ...allowOrigin] });
}
