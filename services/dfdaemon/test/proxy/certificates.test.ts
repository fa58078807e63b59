import { X509Certificate, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';

import { Certificates } from '../../src/proxy/certificates';
import { issueCertificate } from '../../src/proxy/issue-certificate';
import { makeAuthority } from '../support/authority';

/** A client's check of what is shown for a host. */
async function shake(
  certificates: Certificates,
  host: string,
  servername: string | undefined,
  ca: string,
): Promise<string> {
  const server = createServer({ SNICallback: (_name, done) => done(null, certificates.contextFor(host)) });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    servername: servername ?? 'sni.example',
    ca,
    checkServerIdentity: (_name, shown) => {
      const names = shown.subjectaltname ?? '';
      return names.includes(host) ? undefined : new Error(`it is for ${names}`);
    },
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subjectaltname ?? '';
  } finally {
    socket.destroy();
    server.close();
    await once(server, 'close');
  }
}

describe.each(['rsa', 'ec', 'ed25519'] as const)('an authority with a key of the kind %s', (kind) => {
  const { cert, key } = makeAuthority(kind);
  const certificates = Certificates.read(cert, key);

  it.each([
    ['registry.example.com', 'DNS:registry.example.com'],
    ['10.0.0.7', 'IP Address:10.0.0.7'],
    ['2001:db8::7', 'IP Address:2001:DB8:0:0:0:0:0:7'],
  ])('makes a certificate for %s that its clients take', (host, name) => {
    const text = issueCertificate(
      { certificate: new X509Certificate(cert), key: createPrivateKey(key) },
      {
        host,
        publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
        notBefore: new Date(Date.now() - 1000),
        notAfter: new Date(Date.now() + 60_000),
      },
    );
    const issued = new X509Certificate(text);
    expect(issued.subjectAltName).toBe(name);
    expect(issued.verify(new X509Certificate(cert).publicKey)).toBe(true);
    expect(issued.checkIssued(new X509Certificate(cert))).toBe(true);
    expect(issued.ca).toBe(false);
  });

  it('is believed over TLS by whoever trusts it, and by nobody else', async () => {
    await expect(shake(certificates, 'registry.example.com', 'registry.example.com', cert)).resolves.toBe(
      'DNS:registry.example.com',
    );
    const other = makeAuthority('ec');
    await expect(shake(certificates, 'registry.example.com', 'registry.example.com', other.cert)).rejects.toThrow(
      /unable to|self.signed|issuer|signature/i,
    );
  });
});

test('a certificate is made once a host, and none is good for longer than its authority', () => {
  const { cert, key } = makeAuthority('ec', 3_600_000);
  const certificates = Certificates.read(cert, key);
  expect(certificates.contextFor('a.example')).toBe(certificates.contextFor('a.example'));
  expect(certificates.contextFor('a.example')).not.toBe(certificates.contextFor('b.example'));
});

test.each([
  ['no PEM', '', 'hijack_https.cert holds no certificate in PEM'],
  [
    'nonsense in PEM',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    'hijack_https.cert cannot be read: ',
  ],
])('%s as a certificate is refused', (_what, cert, message) => {
  expect(() => Certificates.read(cert, makeAuthority('ec').key)).toThrow(message);
});

test('a key that is none, and one of another certificate, are refused', () => {
  const { cert } = makeAuthority('ec');
  expect(() => Certificates.read(cert, 'x')).toThrow('hijack_https.key cannot be read: ');
  expect(() => Certificates.read(cert, makeAuthority('ec').key)).toThrow(
    'hijack_https.key is not the key of the certificate in hijack_https.cert',
  );
});
