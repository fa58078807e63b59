import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
  id_ce_basicConstraints,
} from '@peculiar/asn1-x509';

/** A certificate authority of a test, in PEM. */
export interface Authority {
  readonly cert: string;
  readonly key: string;
}

const KINDS = {
  rsa: {
    pair: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    algorithm: { algorithm: '1.2.840.113549.1.1.11', parameters: Uint8Array.of(5, 0).buffer },
    hash: 'sha256',
  },
  ec: {
    pair: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    algorithm: { algorithm: '1.2.840.10045.4.3.2' },
    hash: 'sha256',
  },
  ed25519: {
    pair: () => generateKeyPairSync('ed25519'),
    algorithm: { algorithm: '1.3.101.112' },
    hash: null,
  },
} as const satisfies Record<
  string,
  { pair: () => { privateKey: KeyObject; publicKey: KeyObject }; [field: string]: unknown }
>;

/** @param lasts how long it is good, in milliseconds. */
export function makeAuthority(kind: keyof typeof KINDS, lasts = 86_400_000): Authority {
  const { pair, algorithm, hash } = KINDS[kind];
  const { privateKey, publicKey } = pair();
  const type = new AttributeTypeAndValue({
    type: '2.5.4.3',
    value: new AttributeValue({ utf8String: `test ${kind}` }),
  });
  const name = new Name([new RelativeDistinguishedName([type])]);
  const signatureAlgorithm = new AlgorithmIdentifier(algorithm);
  const constraints = AsnConvert.serialize(new BasicConstraints({ cA: true }));
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: new Uint8Array([1, ...randomBytes(8)]).buffer,
    signature: signatureAlgorithm,
    issuer: name,
    subject: name,
    validity: new Validity({ notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + lasts) }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: new Extensions([
      new Extension({ extnID: id_ce_basicConstraints, critical: true, extnValue: new OctetString(constraints) }),
    ]),
  });
  const bytes = Buffer.from(AsnConvert.serialize(content));
  const signatureValue = new Uint8Array(sign(hash, bytes, privateKey)).buffer;
  const certificate = new Certificate({ tbsCertificate: content, signatureAlgorithm, signatureValue });
  const lines =
    Buffer.from(AsnConvert.serialize(certificate))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
