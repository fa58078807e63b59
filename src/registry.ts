/** A bundle of certificates in PEM form, in an object of the namespace. */
export class CertificateAuthority {
  /**
   * @param name the ConfigMap's name
   * @param key the key that holds the bundle
   */
  public static fromConfigMap(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('ConfigMap', name, key);
  }

  /**
   * @param name the Secret's name
   * @param key the key that holds the bundle
   */
  public static fromSecret(name: string, key: string = 'ca.crt'): CertificateAuthority {
    return new CertificateAuthority('Secret', name, key);
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
   * Certificates to trust besides the public ones. All registries of an installation that name one share the same bundle.
   *
   * @default - the public certificate authorities
   */
  readonly ca?: CertificateAuthority;
}
