import type { CertificateAuthority } from './registry';

/**
 * What a df-daemon does as an HTTP proxy at the port of its mirror: the way for dockerd to pull what is not of docker.io through the swarm, with
 * `HTTP_PROXY` and `HTTPS_PROXY` in its environment.
 */
export interface ProxyConfiguration {
  /**
   * What comes through the swarm; the first that matches counts. What none matches goes straight on.
   *
   * @default - blobs by their digest, of every registry
   */
  readonly rules?: ProxyRule[];
  /**
   * Hosts whose TLS the proxy ends, so that it sees which blobs are pulled; needs `certificateSecret`. All other TLS is tunnelled.
   *
   * @default - none
   */
  readonly tlsHosts?: ProxyTlsHost[];
  /**
   * The name of a Secret of the type `kubernetes.io/tls` with which that TLS is ended: an authority's, which makes a certificate a host, or one for
   * all. dockerd has to trust it.
   *
   * @default - none
   */
  readonly certificateSecret?: string;
  /**
   * Hosts that the proxy leads to although they are on the node or link-local, as `HOST[:PORT]`.
   *
   * @default - none
   */
  readonly allow?: string[];
}

/** What the proxy does with which URLs. */
export interface ProxyRule {
  /** A regular expression (RE2) that matches somewhere in the URL, such as `blobs/sha256.*`. */
  readonly match: string;
  /**
   * Whether to ask by https where the client asks by http.
   *
   * @default false
   */
  readonly useHttps?: boolean;
  /**
   * Whether to leave the swarm out.
   *
   * @default false
   */
  readonly direct?: boolean;
}

/** Hosts whose TLS the proxy ends. */
export interface ProxyTlsHost {
  /** A regular expression (RE2) that matches somewhere in `HOST:PORT`, such as `^registry\.example\.com:443$`. */
  readonly match: string;
  /**
   * Certificates to trust for them besides the public ones.
   *
   * @default - the public certificate authorities
   */
  readonly ca?: CertificateAuthority;
}
