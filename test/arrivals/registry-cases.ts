import { CertificateAuthority } from '../../src';
import type { Registry } from '../../src';
import type { Cases } from './case';
import { authority, FILES, files } from './mounted-files';
import { DAEMON, values } from './places';

/** Of the registry `https://registry.example.com:5000`, unless a case has another URL. */
export const REGISTRY: Cases<Registry> = {
  url: [
    { given: 'https://a.example.com', arrives: values(DAEMON, { registry: ['a.example.com=https://a.example.com'] }) },
    {
      given: 'http://b.example.com:8080',
      arrives: values(DAEMON, { registry: ['b.example.com:8080=http://b.example.com:8080'] }),
    },
  ],
  host: [
    { given: 'ghcr.io', arrives: values(DAEMON, { registry: ['ghcr.io=https://registry.example.com:5000'] }) },
    { given: 'docker.io', arrives: values(DAEMON, { registry: ['docker.io=https://registry.example.com:5000'] }) },
  ],
  ca: [
    {
      given: CertificateAuthority.fromConfigMap('one'),
      arrives: files([authority('one', '0.ca.crt')], { originCa: [`registry.example.com:5000=${FILES}/0.ca.crt`] }),
    },
    {
      given: CertificateAuthority.fromConfigMap('two'),
      arrives: files([authority('two', '0.ca.crt')], { originCa: [`registry.example.com:5000=${FILES}/0.ca.crt`] }),
    },
  ],
  clientCertificateSecret: ['one', 'two'].map((given) => ({
    given,
    arrives: files(
      [
        {
          secret: {
            name: given,
            items: [
              { key: 'tls.crt', path: '0.client.crt' },
              { key: 'tls.key', path: '0.client.key' },
            ],
          },
        },
      ],
      {
        originCert: [`registry.example.com:5000=${FILES}/0.client.crt`],
        originKey: [`registry.example.com:5000=${FILES}/0.client.key`],
      },
    ),
  })) as unknown as Cases<Registry>['clientCertificateSecret'],
  credentialsSecret: ['one', 'two'].map((given) => ({
    given,
    arrives: files([{ secret: { name: given, items: [{ key: '.dockerconfigjson', path: '0.config.json' }] } }], {
      registryAuth: [`${FILES}/0.config.json`],
    }),
  })) as unknown as Cases<Registry>['credentialsSecret'],
  tokenServers: [
    {
      given: ['auth.example.com'],
      arrives: values(DAEMON, { tokenServer: ['registry.example.com:5000=auth.example.com'] }),
    },
    {
      given: ['a.example.com:8443', 'b.example.com'],
      arrives: values(DAEMON, {
        tokenServer: ['registry.example.com:5000=a.example.com:8443', 'registry.example.com:5000=b.example.com'],
      }),
    },
  ],
};
