import type { Log } from '@cdk8s-dragonfly/command';
import { OriginClient, OriginRules, TokenServerRules, clusterApi, originLog } from '@cdk8s-dragonfly/origin';
import type { HostPort, Outward, ReadMemory, TokenHosts } from '@cdk8s-dragonfly/origin';

/** What the supernode's ways out are made of. Times are in milliseconds. */
export interface OriginClientsOptions {
  /** The only origins that may be asked; empty: any that is not refused by its address. */
  readonly allowOrigin: readonly HostPort[];
  /** Which token servers may be shown credentials; those that are configured may be inside. Default: those that are known. */
  readonly tokenHosts?: TokenHosts | undefined;
  /** Certificates and proxies. Default: none of our own. */
  readonly outward?: Outward | undefined;
  readonly originFirstByteTimeout: number;
  readonly originStallTimeout: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/** The supernode's ways out. */
export interface OriginClients {
  /** To what clients name. */
  readonly origin: OriginClient;
  /** To token servers, which registries name. */
  readonly tokenServers: OriginClient;
}

/**
 * @param ip the supernode's own address, which it does not ask unless the list names it.
 * @param memory for what is fetched.
 */
export function originClients(options: OriginClientsOptions, ip: string, memory: ReadMemory): OriginClients {
  const { allowOrigin: allow, env, log } = options;
  if (allow.length === 0) {
    log.warn('without --allow-origin any origin may be fetched from, but loopback and link-local addresses');
  }
  const reach = { allow, forbid: [{ host: ip }, ...clusterApi(env)] };
  const common = {
    outward: options.outward,
    firstByteTimeout: options.originFirstByteTimeout,
    stallTimeout: options.originStallTimeout,
    log: originLog(log),
  };
  return {
    origin: new OriginClient({ ...common, rules: new OriginRules(reach), memory }),
    tokenServers: new OriginClient({
      ...common,
      rules: new TokenServerRules({
        ...reach,
        allow: [...allow, ...(options.tokenHosts?.configured ?? [])],
        flag: '--token-server REGISTRY=',
      }),
    }),
  };
}
