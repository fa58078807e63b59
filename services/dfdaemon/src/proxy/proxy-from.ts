import { UsageError } from '@cdk8s-dragonfly/command';
import type { CommandContext, CommandValues } from '@cdk8s-dragonfly/command';
import type { DFDAEMON } from '@cdk8s-dragonfly/contract';
import { FreshFiles, OriginRules, clusterApi, originLog } from '@cdk8s-dragonfly/origin';
import type { FieldsFirstLog, HostPort, Outward, TrustEntry } from '@cdk8s-dragonfly/origin';

import { PATIENCE, SERVER_LIMITS } from '../mirror/limits';
import { Certificates } from './certificates';
import { Proxy } from './proxy';
import type { ProxyOptions } from './proxy';
import { Pattern } from './rules';
import type { ProxyRule } from './rules';

type DfdaemonValues = CommandValues<typeof DFDAEMON>;

/** What the configuration says of the proxy, read and checked. */
export interface ProxySettings {
  readonly rules: readonly ProxyRule[];
  readonly hijack: readonly Pattern[];
  readonly certificates: FreshFiles<Certificates> | undefined;
  /** Authorities to trust for hosts whose TLS is ended here. */
  readonly trust: readonly TrustEntry[];
  /** Hosts that were asked not to be checked, which is not done. */
  readonly unchecked: readonly string[];
}

/** @throws UsageError that names the setting. */
export function proxySettings(values: DfdaemonValues, log: FieldsFirstLog): ProxySettings {
  const { proxies, hijackHosts, hijackCert, hijackKey } = values;
  const hijack = hijackHosts.map(({ regx }, index) =>
    Pattern.read(regx, `the key regx of entry ${index + 1} of hijack_https.hosts`),
  );
  if ((hijackCert === undefined) !== (hijackKey === undefined)) {
    throw new UsageError(
      'hijack_https.cert (--hijack-cert) and hijack_https.key (--hijack-key) have to be given together',
    );
  }
  if (hijack.length > 0 && hijackCert === undefined) {
    throw new UsageError(
      'hijack_https.hosts needs hijack_https.cert and hijack_https.key: TLS cannot be ended without them',
    );
  }
  return {
    rules: proxies.map(({ regx, use_https: useHttps, direct }, index) => ({
      pattern: Pattern.read(regx, `the key regx of entry ${index + 1} of proxies`),
      useHttps,
      direct,
    })),
    hijack,
    certificates:
      hijackCert === undefined || hijackKey === undefined ? undefined : certificatesOf([hijackCert, hijackKey], log),
    trust: hijackHosts.flatMap(({ certs }, index) => {
      const pattern = hijack[index];
      return pattern === undefined || certs.length === 0
        ? []
        : [{ matches: (hostAndPort: string) => pattern.matches(hostAndPort), ca: certs }];
    }),
    unchecked: hijackHosts.filter(({ insecure }) => insecure).map(({ regx }) => regx),
  };
}

/**
 * Where the proxy leads, and where blobs are fetched from when rules name them: everywhere but to this machine, link-local addresses, the
 * metadata services of clouds, this daemon and the cluster's API.
 *
 * @param registries the hosts of the mirror, allowed whatever they resolve to.
 */
export function proxyOriginRules(
  values: DfdaemonValues,
  registries: readonly HostPort[],
  env: CommandContext['env'],
): OriginRules {
  const own = [values.hostIp, values.advertiseIp].flatMap((host) => (host === undefined ? [] : [{ host }]));
  return new OriginRules({
    allow: [...registries, ...values.proxyAllow],
    forbid: [...own.filter(({ host }) => host !== '0.0.0.0' && host !== '::'), ...clusterApi(env)],
    others: true,
    flag: '--proxy-allow',
  });
}

/** What the proxy works with beside its settings. */
export interface ProxyParts {
  readonly pulling: ProxyOptions['pulling'];
  readonly outward: Outward;
  readonly originRules: OriginRules;
  readonly log: CommandContext['log'];
}

/** The proxy of a df-daemon. */
export function proxyFrom(values: DfdaemonValues, settings: ProxySettings, parts: ProxyParts): Proxy {
  const { rules, hijack, certificates, unchecked } = settings;
  if (unchecked.length > 0) {
    parts.log.warn(
      { hosts: unchecked },
      'insecure is not heeded: certificates are always checked; name their authority in certs',
    );
  }
  return new Proxy({
    ...parts,
    rules,
    hijack,
    certificates,
    forAll: rules.length > 0 || hijack.length > 0,
    patience: PATIENCE,
    connectTimeout: Math.max(5000, values.connectTimeout),
    firstByteTimeout: values.originFirstByteTimeout,
    stallTimeout: values.originStallTimeout,
    server: SERVER_LIMITS,
  });
}

/** A Secret's renewed certificate counts without a restart: the one before is not good for ever, and its authority may be replaced. */
function certificatesOf(paths: readonly [string, string], log: FieldsFirstLog): FreshFiles<Certificates> {
  try {
    return new FreshFiles({
      paths,
      parse: (cert: string, key: string) => Certificates.read(cert, key),
      log: originLog(log),
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const named = `${paths.join(' and ')}, named by hijack_https.cert and hijack_https.key,`;
    throw new UsageError(`${named} cannot be read: ${why}`, { cause: error });
  }
}
