import { createHash, createPublicKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  Name,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';

/** Who signs. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What a certificate is for. */
export interface Subject {
  /** A DNS name or an IP address. */
  readonly host: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** ASN.1's NULL: RSA signatures name it as their parameters (RFC 4055, 5). */
const NULL = Uint8Array.of(5, 0).buffer;

/** Object identifiers of signatures, all with SHA-256 where they have a choice (RFC 4055, 5; RFC 5758, 3.2; RFC 8410, 3). */
const SIGNATURES: ReadonlyMap<string | undefined, () => AlgorithmIdentifier> = new Map([
  ['rsa', () => new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: NULL })],
  ['ec', () => new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })],
  ['ed25519', () => new AlgorithmIdentifier({ algorithm: '1.3.101.112' })],
]);

/** Whether certificates can be signed with such a key. */
export function canSign(key: KeyObject): boolean {
  return key.type === 'private' && SIGNATURES.has(key.asymmetricKeyType);
}

/**
 * A server's certificate for one host (RFC 5280, 4), in PEM.
 *
 * @throws Error when the issuer's key is of another kind than RSA, EC or Ed25519.
 */
export function issueCertificate(issuer: Issuer, subject: Subject): string {
  const { key } = issuer;
  const algorithm = SIGNATURES.get(key.asymmetricKeyType)?.();
  if (algorithm === undefined) throw new Error(`a key of the kind ${key.asymmetricKeyType ?? 'secret'} cannot sign`);
  const authority = AsnConvert.parse(issuer.certificate.raw, Certificate).tbsCertificate;
  const publicKey = AsnConvert.parse(subject.publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: authority.subject,
    validity: new Validity({ notBefore: subject.notBefore, notAfter: subject.notAfter }),
    // The host stands in the alternative name; no name at all is allowed when that is critical (RFC 5280, 4.2.1.6).
    subject: new Name(),
    subjectPublicKeyInfo: publicKey,
    extensions: new Extensions([
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
      extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
      extension(id_ce_subjectAltName, new SubjectAlternativeName([alternativeName(subject.host)]), true),
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
      extension(id_ce_authorityKeyIdentifier, authorityKeyIdentifier(authority)),
    ]),
  });
  const bytes = Buffer.from(AsnConvert.serialize(content));
  const signature = sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key);
  const certificate = new Certificate({
    tbsCertificate: content,
    tbsCertificateRaw: arrayBufferOf(bytes),
    signatureAlgorithm: algorithm,
    signatureValue: arrayBufferOf(signature),
  });
  return pemOf(Buffer.from(AsnConvert.serialize(certificate)));
}

/** The key of a certificate and a private one belong together. */
export function fits({ certificate, key }: Issuer): boolean {
  const der = (one: KeyObject): Buffer => one.export({ type: 'spki', format: 'der' });
  return der(certificate.publicKey).equals(der(createPublicKey(key)));
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function alternativeName(host: string): GeneralName {
  return isIP(host) === 0 ? new GeneralName({ dNSName: host }) : new GeneralName({ iPAddress: host });
}

/** Random, positive, at most 20 bytes long (RFC 5280, 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return arrayBufferOf(bytes);
}

function keyIdentifier({ subjectPublicKey }: SubjectPublicKeyInfo): ArrayBuffer {
  return arrayBufferOf(createHash('sha1').update(Buffer.from(subjectPublicKey)).digest());
}

/** What the issuer calls its own key, so that chains are found. */
function authorityKeyIdentifier({ extensions, subjectPublicKeyInfo }: TBSCertificate): AuthorityKeyIdentifier {
  const own = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  const named = own === undefined ? undefined : AsnConvert.parse(own.extnValue.buffer, SubjectKeyIdentifier);
  const keyIdentifierOfIssuer = new SubjectKeyIdentifier(named?.buffer ?? keyIdentifier(subjectPublicKeyInfo));
  return new AuthorityKeyIdentifier({ keyIdentifier: keyIdentifierOfIssuer });
}

function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
