import { CertificateAuthority } from '../../src';
import type { ProxyConfiguration, ProxyRule, ProxyTlsHost } from '../../src';
import type { Cases } from './case';
import { authority, FILES, files } from './mounted-files';
import { DAEMON, values } from './places';

const host = { tlsHosts: [{ match: '^a:443$' }] };

export const PROXY: Cases<ProxyConfiguration> = {
  rules: [
    { given: [{ match: 'a' }], arrives: values(DAEMON, { proxies: [{ regx: 'a' }] }) },
    { given: [{ match: 'b' }, { match: 'c' }], arrives: values(DAEMON, { proxies: [{ regx: 'b' }, { regx: 'c' }] }) },
  ],
  tlsHosts: [
    {
      given: [{ match: 'a' }],
      beside: { certificateSecret: 's' },
      arrives: values(DAEMON, { hijackHosts: [{ regx: 'a' }] }),
    },
    {
      given: [{ match: 'b' }],
      beside: { certificateSecret: 's' },
      arrives: values(DAEMON, { hijackHosts: [{ regx: 'b' }] }),
    },
  ],
  certificateSecret: ['one', 'two'].map((given) => ({
    given,
    beside: host,
    arrives: files(
      [
        {
          secret: {
            name: given,
            items: [
              { key: 'tls.crt', path: 'proxy.crt' },
              { key: 'tls.key', path: 'proxy.key' },
            ],
          },
        },
      ],
      { hijackCert: `${FILES}/proxy.crt`, hijackKey: `${FILES}/proxy.key` },
    ),
  })) as unknown as Cases<ProxyConfiguration>['certificateSecret'],
  allow: [
    { given: ['127.0.0.1:5000'], arrives: values(DAEMON, { proxyAllow: [{ host: '127.0.0.1', port: 5000 }] }) },
    { given: ['a', '[::1]:80'], arrives: values(DAEMON, { proxyAllow: [{ host: 'a' }, { host: '::1', port: 80 }] }) },
  ],
};

export const PROXY_RULE: Cases<ProxyRule> = {
  match: [
    { given: '(?i)Blobs', arrives: values(DAEMON, { proxies: [{ regx: '(?i)Blobs' }] }) },
    { given: '(?P<name>a)', arrives: values(DAEMON, { proxies: [{ regx: '(?P<name>a)' }] }) },
  ],
  useHttps: [true, false].map((given) => ({
    given,
    arrives: values(DAEMON, { proxies: [{ use_https: given }] }),
  })) as unknown as Cases<ProxyRule>['useHttps'],
  direct: [true, false].map((given) => ({
    given,
    arrives: values(DAEMON, { proxies: [{ direct: given }] }),
  })) as unknown as Cases<ProxyRule>['direct'],
};

export const PROXY_TLS_HOST: Cases<ProxyTlsHost> = {
  match: [
    { given: '^a:443$', arrives: values(DAEMON, { hijackHosts: [{ regx: '^a:443$', insecure: false }] }) },
    { given: '.*', arrives: values(DAEMON, { hijackHosts: [{ regx: '.*' }] }) },
  ],
  ca: [
    {
      given: CertificateAuthority.fromConfigMap('one'),
      arrives: files([authority('one', 'proxy-0.ca.crt'), {}], {
        hijackHosts: [{ certs: [`${FILES}/proxy-0.ca.crt`] }],
      }),
    },
    {
      given: CertificateAuthority.fromConfigMap('two'),
      arrives: files([authority('two', 'proxy-0.ca.crt'), {}], {
        hijackHosts: [{ certs: [`${FILES}/proxy-0.ca.crt`] }],
      }),
    },
  ],
};
