import { fetchReason, formatAddress, takesConnections } from '@cdk8s-dragonfly/command';
import type { SupernodeAddress } from '@cdk8s-dragonfly/command';
import { OriginError, codeOf, isTlsCode } from '@cdk8s-dragonfly/origin';
import { REACH_PATIENCE } from '@cdk8s-dragonfly/protocol';
import type { DaemonReach, ReachFault } from '@cdk8s-dragonfly/protocol';

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
  /** How long each may take to answer, in milliseconds. Default: {@link REACH_PATIENCE}. */
  readonly patience?: number;
}

/** Asks every supernode and every registry once, at the same time, each in the way in which pulls ask it. */
export async function reach(parts: ReachParts): Promise<DaemonReach> {
  const { supernodes, upstreams, registry, own, version, patience = REACH_PATIENCE } = parts;
  const hosts = new Map<string, string[]>([[upstreams.default.href, []]]);
  for (const [host, { href }] of upstreams.byHost) hosts.set(href, [...(hosts.get(href) ?? []), host]);
  const [reachedSupernodes, registries] = await Promise.all([
    Promise.all(supernodes.map((address) => supernode(address, patience))),
    Promise.all(
      [...hosts].map(async ([href, names]) => {
        const url = new URL(href);
        const isOwn = own.isFor(url);
        return { hosts: names, own: isOwn, ...(await registryAt(url, isOwn ? own : registry, patience)) };
      }),
    ),
  ]);
  return { version, supernodes: reachedSupernodes, registries };
}

type Place = DaemonReach['supernodes'][number];

async function supernode({ host, port }: SupernodeAddress, total: number): Promise<Place> {
  const name = formatAddress(host, port);
  const url = new URL(`http://${name}/_ping`);
  // The rest is for a look whether connections to one that is silent open.
  const patience = Math.round((total * 5) / 6);
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(patience) });
    await answer.body?.cancel();
    return { name, status: answer.status };
  } catch (error) {
    if (!isTimeout(error)) return { name, why: fetchReason(error, patience), fault: faultOf(error) };
    return (await takesConnections(url, total - patience))
      ? { name, why: `it takes connections, and nothing came for ${patience} ms`, fault: 'silent' }
      : { name, why: `no connection to it opened for ${patience} ms`, fault: 'unopened' };
  }
}

async function registryAt(url: URL, registry: Registry, patience: number): Promise<Place> {
  try {
    const asked = { registry: url, method: 'GET', path: '/v2/', headers: [] } as const;
    const answer = await registry.send(asked, AbortSignal.timeout(patience));
    answer.discard();
    return { name: url.origin, status: answer.status };
  } catch (error) {
    const why = isTimeout(error) ? `nothing came for ${patience} ms` : (error as Error).message;
    return { name: url.origin, why, fault: isTimeout(error) ? 'silent' : faultOf(error) };
  }
}

function isTimeout(error: unknown): boolean {
  return (error as Error).name === 'TimeoutError';
}

function faultOf(error: unknown): ReachFault | undefined {
  const code = codeOf((error as Error).cause);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name';
  if (code === 'ECONNREFUSED') return 'refused';
  if (isTlsCode(code)) return 'certificate';
  const isUnopened = code === '' && error instanceof OriginError && error.kind === 'unreachable';
  return isUnopened || UNOPENED.has(code) ? 'unopened' : undefined;
}

const UNOPENED: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH']);
