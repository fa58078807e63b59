import { fetchReason, formatAddress } from '@cdk8s-dragonfly/command';
import type { SupernodeAddress } from '@cdk8s-dragonfly/command';
import type { DaemonReach } from '@cdk8s-dragonfly/protocol';

import type { OwnAccess } from '../access/own-access';
import type { Registry } from '../mirror/relay';
import type { Upstreams } from '../mirror/upstreams';

/** What is tried, and how. */
export interface ReachParts {
  readonly supernodes: readonly SupernodeAddress[];
  readonly upstreams: Upstreams;
  readonly registry: Registry;
  readonly own: Pick<OwnAccess, 'isFor' | 'send'>;
  readonly version: string;
}

/** How long each may take to answer, in milliseconds. */
const PATIENCE = 5000;

/** Asks every supernode and every registry once, at the same time, each in the way in which pulls ask it. */
export async function reach({ supernodes, upstreams, registry, own, version }: ReachParts): Promise<DaemonReach> {
  const hosts = new Map<string, string[]>([[upstreams.default.href, []]]);
  for (const [host, { href }] of upstreams.byHost) hosts.set(href, [...(hosts.get(href) ?? []), host]);
  const [reachedSupernodes, registries] = await Promise.all([
    Promise.all(supernodes.map(supernode)),
    Promise.all(
      [...hosts].map(async ([href, names]) => {
        const url = new URL(href);
        const isOwn = own.isFor(url);
        return { hosts: names, own: isOwn, ...(await registryAt(url, isOwn ? own : registry)) };
      }),
    ),
  ]);
  return { version, supernodes: reachedSupernodes, registries };
}

type Place = DaemonReach['supernodes'][number];

async function supernode({ host, port }: SupernodeAddress): Promise<Place> {
  const name = formatAddress(host, port);
  try {
    const answer = await fetch(`http://${name}/_ping`, { redirect: 'manual', signal: AbortSignal.timeout(PATIENCE) });
    await answer.body?.cancel();
    return { name, status: answer.status };
  } catch (error) {
    return { name, why: fetchReason(error, PATIENCE) };
  }
}

async function registryAt(url: URL, registry: Registry): Promise<Place> {
  try {
    const asked = { registry: url, method: 'GET', path: '/v2/', headers: [] } as const;
    const answer = await registry.send(asked, AbortSignal.timeout(PATIENCE));
    answer.discard();
    return { name: url.origin, status: answer.status };
  } catch (error) {
    const isLate = (error as Error).name === 'TimeoutError';
    return { name: url.origin, why: isLate ? `nothing came for ${PATIENCE} ms` : (error as Error).message };
  }
}
