import { allowedOrigins } from '../src/download/allowed-origins';

describe('whom dfget may ask', () => {
  const rules = allowedOrigins({
    url: new URL('http://10.0.0.1:8080/file'),
    allowOrigin: [{ host: '10.0.0.2', port: 81 }, { host: '10.0.0.3' }],
  });

  it.each([
    'https://10.0.0.1/file',
    'http://10.0.0.1:8080/other',
    'http://10.0.0.2:81/file',
    'http://10.0.0.3:9000/file',
    'https://192.0.43.8/file',
  ])('by a redirect: %s', (url) => {
    expect(() => rules.checkUrl(new URL(url), 'redirect')).not.toThrow();
  });

  it.each(['http://10.0.0.1/file', 'https://10.0.0.1:8443/file', 'https://10.0.0.2/file', 'http://192.0.43.8/file'])(
    'by no redirect: %s',
    (url) => {
      expect(() => rules.checkUrl(new URL(url), 'redirect')).toThrow('allow it with --allow-origin ');
    },
  );
});
