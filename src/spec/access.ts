import type { CertificateAuthority } from '../registry';
import { checkAddresses } from './checks';
import type { FileSet } from './files';
import { originOf } from './registry';
import type { RegistrySpec } from './registry';

/** How a daemon gets at registries, as its flags take it. */
export interface AccessSpec {
  readonly originCa: string[];
  readonly originCert: string[];
  readonly originKey: string[];
}

/** How a df-daemon gets at registries for clients that send no credentials. */
export interface OwnAccessSpec {
  readonly registryAuth: string[];
  readonly tokenServer: string[];
}

/**
 * The certificates for registries; their files are added to `files`.
 *
 * @throws Error naming the prop and the fix: names that are none, two client certificates for one host.
 */
export function accessSpec(
  registries: RegistrySpec[],
  ca: CertificateAuthority | undefined,
  files: FileSet,
): AccessSpec {
  const originCa = ca === undefined ? [] : [files.authority('ca', ca, 'ca.crt')];
  const certificates = new Map<string, { readonly prop: string; readonly secret: string }>();
  const originCert: string[] = [];
  const originKey: string[] = [];
  registries.forEach((registry, i) => {
    const origin = originOf(registry);
    if (registry.ca !== undefined) {
      originCa.push(`${origin}=${files.authority(`registries[${i}].ca`, registry.ca, `${i}.ca.crt`)}`);
    }
    const { clientCertificateSecret: secret } = registry;
    if (secret === undefined) {
      return;
    }
    const prop = `registries[${i}].clientCertificateSecret`;
    const other = certificates.get(origin);
    if (other !== undefined && other.secret !== secret) {
      throw new Error(
        `${prop} is "${secret}" and ${other.prop} "${other.secret}", both for ${origin}, which is shown one: name the same.`,
      );
    }
    if (other === undefined) {
      certificates.set(origin, { prop, secret });
      originCert.push(`${origin}=${files.secret(prop, secret, 'tls.crt', `${i}.client.crt`)}`);
      originKey.push(`${origin}=${files.secret(prop, secret, 'tls.key', `${i}.client.key`)}`);
    }
  });
  return { originCa: [...new Set(originCa)], originCert, originKey };
}

/** The credentials for registries, as {@link accessSpec}. */
export function ownAccessSpec(registries: RegistrySpec[], files: FileSet): OwnAccessSpec {
  const registryAuth = registries.flatMap(({ credentialsSecret: secret }, i) =>
    secret === undefined
      ? []
      : [files.secret(`registries[${i}].credentialsSecret`, secret, '.dockerconfigjson', `${i}.config.json`)],
  );
  return { registryAuth: [...new Set(registryAuth)], tokenServer: tokenServersOf(registries) };
}

/** The token servers that registries' credentials may be shown to, as flags have them. */
export function tokenServersOf(registries: RegistrySpec[]): string[] {
  const tokenServer = registries.flatMap(({ url, tokenServers }, i) =>
    tokenServers === undefined
      ? []
      : checkAddresses(`registries[${i}].tokenServers`, tokenServers, 'token server').map(
          (host) => `${new URL(url).host}=${host}`,
        ),
  );
  return [...new Set(tokenServer)];
}
