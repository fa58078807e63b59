import { text } from './spec/shape';

/** A bundle of certificates in PEM form, in an object of the namespace. */
export class CertificateAuthority {
  /**
   * @param name the ConfigMap's name
   * @param key the key that holds the bundle
   */
  public static fromConfigMap(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('ConfigMap', ...named('CertificateAuthority.fromConfigMap()', name, key));
  }

  /**
   * @param name the Secret's name
   * @param key the key that holds the bundle
   */
  public static fromSecret(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('Secret', ...named('CertificateAuthority.fromSecret()', name, key));
  }

  private constructor(
    /** `ConfigMap` or `Secret`. */
    public readonly kind: string,
    /** The object's name. */
    public readonly name: string,
    /** The key that holds the bundle. */
    public readonly key: string,
  ) {}
}

function named(what: string, name: string, key: string): [string, string] {
  text(what, name);
  text(`the key of ${what}`, key);
  return [name, key];
}

/** A registry behind the mirror. */
export interface Registry {
  /** Where its content is fetched from: scheme, host and port, such as `https://ghcr.io`. */
  readonly url: string;
  /**
   * Its host as it stands in image names.
   *
   * @default - the host of `url`
   */
  readonly host?: string;
  /**
   * Certificates to trust for this registry alone, besides the public ones. For token servers, and storage that it redirects to, there is
   * the `ca` of the installation.
   *
   * @default - the public certificate authorities
   */
  readonly ca?: CertificateAuthority;
  /**
   * The name of a Secret of the type `kubernetes.io/tls`: the client certificate that the registry is shown.
   *
   * @default - none
   */
  readonly clientCertificateSecret?: string;
  /**
   * The name of a Secret of the type `kubernetes.io/dockerconfigjson`: what df-daemons show for clients that send no credentials of their own. Every
   * pod and person that reaches the mirror may then pull what these credentials open.
   *
   * @default - clients' own credentials alone
   */
  readonly credentialsSecret?: string;
  /**
   * Hosts as `HOST[:PORT]`, besides the registry's own, that its credentials may be shown to for a token, and that may be inside.
   *
   * @default - none
   */
  readonly tokenServers?: string[];
}
