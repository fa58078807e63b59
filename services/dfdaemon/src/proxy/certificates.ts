import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { UsageError } from '@cdk8s-dragonfly/command';
import { LRUCache } from 'lru-cache';

import { canSign, fits, issueCertificate } from './issue-certificate';

/** So many hosts' certificates are kept; the least recently used go first. */
const MOST = 512;

/** How long an issued certificate is good, and from when: clocks differ. In milliseconds. */
const GOOD_FOR = 7 * 86_400_000;
const GOOD_SINCE = 86_400_000;

/** An issued certificate is used for so long, in milliseconds. */
const KEPT_FOR = GOOD_FOR / 2;

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * What the proxy shows to clients whose TLS it ends: the certificate that it was given, or, when that is an authority's, one a host
 * that is made when it is first asked for.
 */
export class Certificates {
  private readonly contexts = new LRUCache<string, SecureContext>({ max: MOST, ttl: KEPT_FOR });
  private readonly own: SecureContext | undefined;
  /** One key for all hosts: to make one takes longer than to sign. */
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  private constructor(
    private readonly certificate: X509Certificate,
    private readonly key: KeyObject,
    /** In PEM, the first being `certificate`. */
    private readonly chain: readonly string[],
  ) {
    if (!certificate.ca) {
      const keyText = key.export({ type: 'pkcs8', format: 'pem' });
      this.own = createSecureContext({ cert: chain.join('\n'), key: keyText });
    }
  }

  /**
   * @param cert PEM, the certificate first and then those that lead to a root, if any. @param key PEM.
   * @throws UsageError that names the setting.
   */
  static read(cert: string, key: string): Certificates {
    const chain = cert.match(PEM) ?? [];
    const [first] = chain;
    if (first === undefined) throw new UsageError('hijack_https.cert holds no certificate in PEM');
    const certificate = understood('hijack_https.cert', () => new X509Certificate(first));
    const privateKey = understood('hijack_https.key', () => createPrivateKey(key));
    if (!fits({ certificate, key: privateKey })) {
      throw new UsageError('hijack_https.key is not the key of the certificate in hijack_https.cert');
    }
    if (certificate.ca && !canSign(privateKey)) {
      throw new UsageError('hijack_https.key must be an RSA, EC or Ed25519 key to issue certificates with');
    }
    return new Certificates(certificate, privateKey, chain);
  }

  /** @param host a DNS name or an IP address. */
  contextFor(host: string): SecureContext {
    if (this.own !== undefined) return this.own;
    const known = this.contexts.get(host);
    if (known !== undefined) return known;
    const { certificate, key, chain, pair } = this;
    const now = Date.now();
    // Whoever is signed by an authority is good for no longer than it.
    const notAfter = new Date(Math.min(now + GOOD_FOR, Date.parse(certificate.validTo)));
    const notBefore = new Date(Math.max(now - GOOD_SINCE, Date.parse(certificate.validFrom)));
    const issued = issueCertificate({ certificate, key }, { host, publicKey: pair.publicKey, notBefore, notAfter });
    const context = createSecureContext({
      cert: [issued.trimEnd(), ...chain].join('\n'),
      key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    });
    this.contexts.set(host, context);
    return context;
  }
}

function understood<Result>(setting: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${setting} cannot be read: ${why}`, { cause: error });
  }
}
