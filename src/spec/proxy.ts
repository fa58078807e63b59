import { Yaml } from 'cdk8s';
import { DFDAEMON } from '../contract/index';
import type { ProxyConfiguration, ProxyRule, ProxyTlsHost } from '../proxy-props';
import { checkAddresses } from './checks';
import type { FileSet } from './files';

/** How a df-daemon is a proxy, as its flags and its configuration file take it. */
export interface ProxySpec {
  /** The text of `dfdaemon.yml`. */
  readonly config: string;
  readonly hijackCert: string | undefined;
  readonly hijackKey: string | undefined;
  readonly proxyAllow: string[];
}

/** As the original's own example: blobs by their digest. */
const BLOBS: ProxyRule = { match: 'blobs/sha256.*' };

/**
 * Props with their defaults, checked; the files of Secrets and ConfigMaps are added to `files`.
 *
 * @throws Error naming the prop, the value and the fix: no regular expression, hosts without a certificate or the other way round, no rule.
 */
export function proxySpec(props: ProxyConfiguration, files: FileSet): ProxySpec {
  const { rules = [BLOBS], tlsHosts = [], certificateSecret: secret, allow = [] } = props;
  if (rules.length === 0) {
    throw new Error(
      'proxy.rules is empty, so that nothing would come through the swarm: name a rule, or leave it out.',
    );
  }
  if (tlsHosts.length > 0 && secret === undefined) {
    throw new Error(
      'proxy.tlsHosts is there without certificateSecret, which their TLS is ended with: name the Secret.',
    );
  }
  if (tlsHosts.length === 0 && secret !== undefined) {
    throw new Error(
      `proxy.certificateSecret "${secret}" has nothing to do: name hosts in proxy.tlsHosts, or leave it out.`,
    );
  }
  const { proxies, hijackHosts } = DFDAEMON.lists;
  const entries = { [proxies.key]: rules.map(ruleOf) };
  const [section = '', list = ''] = hijackHosts.key.split('.');
  const hosts = tlsHosts.map((host, i) => hostOf(host, i, files));
  const prop = 'proxy.certificateSecret';
  return {
    config: Yaml.stringify(hosts.length === 0 ? entries : { ...entries, [section]: { [list]: hosts } }),
    hijackCert: secret === undefined ? undefined : files.secret(prop, secret, 'tls.crt', 'proxy.crt'),
    hijackKey: secret === undefined ? undefined : files.secret(prop, secret, 'tls.key', 'proxy.key'),
    proxyAllow: allow.length === 0 ? [] : checkAddresses('proxy.allow', allow, 'host'),
  };
}

function ruleOf({ match, useHttps, direct }: ProxyRule, i: number): object {
  return {
    regx: checkPattern(`proxy.rules[${i}].match`, match),
    ...(useHttps === undefined ? {} : { use_https: useHttps }),
    ...(direct === undefined ? {} : { direct }),
  };
}

function hostOf({ match, ca }: ProxyTlsHost, i: number, files: FileSet): object {
  const prop = `proxy.tlsHosts[${i}]`;
  return {
    regx: checkPattern(`${prop}.match`, match),
    ...(ca === undefined ? {} : { certs: [files.authority(`${prop}.ca`, ca, `proxy-${i}.ca.crt`)] }),
  };
}

/** RE2 and JavaScript write the same but for flags in front and the names of groups. */
function checkPattern(prop: string, pattern: string): string {
  const same = pattern.replace(/^\(\?[imsU]+\)/, '').replace(/\(\?P</g, '(?<');
  try {
    if (pattern === '') {
      throw new Error('it is empty');
    }
    new RegExp(same);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${prop} "${pattern}" is no regular expression (${why}): write RE2, such as blobs/sha256.*.`, {
      cause: error,
    });
  }
  return pattern;
}
