import type { HostPort, Way } from '../src';
import { clusterApi, OriginError, OriginRules } from '../src';

/** Undefined when the rules let it pass, else what they say. */
function verdict(
  rules: OriginRules,
  url: string,
  way: Way = 'first-hand',
  addresses: readonly string[] = [],
): string | undefined {
  try {
    rules.checkUrl(new URL(url), way);
    for (const address of addresses) {
      rules.checkAddress(new URL(url), address, way);
    }
    return undefined;
  } catch (error) {
    if (error instanceof OriginError && error.kind === 'forbidden' && !error.retryable) {
      return error.message;
    }
    throw error;
  }
}

const open = new OriginRules();

describe('without a list', () => {
  it.each([
    'http://127.0.0.1/x',
    'http://127.1/x',
    'http://2130706433/x',
    'http://017700000001/x',
    'http://0x7f.0.0.1/x',
    'http://127.0.0.1./x',
    'https://[::1]:5000/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[0:0:0:0:0:0:0:1]/x',
    'http://169.254.169.254/latest/meta-data',
    'http://0xa9fea9fe/latest/meta-data',
    'http://[fd00:ec2::254]/',
    'http://0/x',
    'http://[::]/x',
    'http://224.0.0.1/',
    'http://[fe80::1]/',
  ])('refuses %s', (url) => {
    expect(verdict(open, url)).toContain('is refused: ');
    expect(verdict(open, url)).toContain('allow it with --allow-origin ');
  });

  it.each([
    'http://registry.example/v2/',
    'https://10.0.0.5:5000/v2/',
    'http://192.168.1.1/v2/',
    'http://[fd12::5]:5000/',
    'https://8.8.8.8/',
  ])('allows %s first-hand', (url) => {
    expect(verdict(open, url)).toBeUndefined();
  });

  it('refuses a name that resolves inward, even if only one of its addresses does', () => {
    expect(verdict(open, 'http://rebind.example/', 'first-hand', ['8.8.8.8', '10.1.1.1'])).toBeUndefined();
    expect(verdict(open, 'http://rebind.example/', 'first-hand', ['8.8.8.8', '127.0.0.1'])).toBe(
      'Origin rebind.example:80 is refused: 127.0.0.1 is a loopback address; allow it with --allow-origin rebind.example:80.',
    );
  });
});

describe('redirects', () => {
  it.each([
    ['https://cdn.example/x?sig=1', ['8.8.8.8', '2606:4700::1']],
    ['https://8.8.8.8/x', []],
    ['https://[2606:4700::1]:8443/x', []],
  ])('may lead to %s', (url, addresses) => {
    expect(verdict(open, url, 'redirect', addresses)).toBeUndefined();
    const listed = new OriginRules({ allow: [{ host: 'registry.example' }] });
    expect(verdict(listed, url, 'redirect', addresses)).toBeUndefined();
  });

  it.each([
    ['http://cdn.example/x', [], 'a redirect led there over plain http'],
    ['https://10.0.0.5/x', [], 'a redirect led there and 10.0.0.5 is a private address'],
    ['https://cdn.example/x', ['8.8.8.8', '100.64.0.1'], 'a redirect led there and 100.64.0.1 is a private address'],
    ['https://cdn.example/x', ['127.0.0.1'], 'a redirect led there and 127.0.0.1 is a loopback address'],
    ['https://cdn.example/x', ['203.0.113.1'], 'a redirect led there and 203.0.113.1 is a reserved address'],
    ['https://[fd00::1]/x', [], 'a redirect led there and fd00::1 is a private address'],
  ])('may not lead to %s at %s', (url, addresses, rule) => {
    expect(verdict(open, url, 'redirect', addresses)).toContain(`is refused: ${rule}; allow it with --allow-origin `);
  });

  it('may lead anywhere that the list names', () => {
    const rules = new OriginRules({ allow: [{ host: '10.0.0.5', port: 9000 }, { host: 'minio.local' }] });
    expect(verdict(rules, 'http://10.0.0.5:9000/x', 'redirect')).toBeUndefined();
    expect(verdict(rules, 'http://minio.local:1234/x', 'redirect', ['127.0.0.1'])).toBeUndefined();
    expect(verdict(rules, 'http://10.0.0.5:9001/x', 'redirect')).toContain('--allow-origin 10.0.0.5:9001.');
  });

  it('may not lead to other schemes', () => {
    expect(verdict(open, 'file:///etc/passwd', 'redirect')).toBe(
      'The scheme "file:" is refused: only http and https can be fetched.',
    );
  });
});

describe('with a list', () => {
  const rules = new OriginRules({
    allow: [
      { host: 'Registry.Example.', port: 5000 },
      { host: '::1', port: 80 },
      { host: '127.1' },
      { host: 'any.example' },
    ],
  });

  it.each([
    'http://registry.example:5000/v2/',
    'https://registry.example.:5000/v2/',
    'http://[::1]/',
    'http://[0::1]/',
    'http://127.0.0.1:1/',
    'http://[::ffff:127.0.0.1]:2/',
    'https://any.example/',
    'http://any.example:99/',
  ])('allows %s, whatever it resolves to', (url) => {
    expect(verdict(rules, url, 'first-hand', ['127.0.0.1', '169.254.169.254'])).toBeUndefined();
  });

  it.each([
    'http://registry.example/',
    'http://other.example/',
    'http://[::1]:81/',
    'https://127.0.0.2/',
    'https://[::1]/',
  ])('refuses %s first-hand', (url) => {
    expect(verdict(rules, url)).toContain('is refused: it is not on the list of allowed origins; allow it with');
  });

  it('recommends the flag of the command it is for', () => {
    const daemon = new OriginRules({ allow: [{ host: 'a.example' }], flag: '--registry' });
    expect(verdict(daemon, 'https://b.example/x?token=secret')).toBe(
      'Origin b.example:443 is refused: it is not on the list of allowed origins; allow it with --registry b.example:443.',
    );
  });

  it('does not begin with what is no host', () => {
    for (const host of ['', 'a b', 'http://a', 'a/b', 'a:5000', 'user@a', '[::1', '1.2.3.999']) {
      expect(() => new OriginRules({ allow: [{ host }] })).toThrow(
        `"${host}" is not a host: give a name or an IP address`,
      );
    }
  });
});

describe('forbidden addresses', () => {
  const forbid: HostPort[] = [
    { host: '10.0.0.9' },
    { host: '10.0.0.8', port: 8002 },
    ...clusterApi({ KUBERNETES_SERVICE_HOST: '10.96.0.1' }),
  ];
  const rules = new OriginRules({ forbid });

  it('are refused by name and by resolved address, in every spelling', () => {
    expect(verdict(rules, 'http://10.0.0.9:5000/')).toContain('it is an address of this service or of the cluster');
    expect(verdict(rules, 'http://[::ffff:10.0.0.9]/')).toContain('it is an address of this service');
    expect(verdict(rules, 'http://[64:ff9b::10.0.0.9]/')).toContain('is an address of this service');
    expect(verdict(rules, 'http://me.example/', 'first-hand', ['10.0.0.9'])).toContain(
      '10.0.0.9 is an address of this service',
    );
    expect(verdict(rules, 'https://kubernetes.default.svc/', 'first-hand', ['10.96.0.1'])).toContain(
      '10.96.0.1 is an address',
    );
    expect(verdict(rules, 'http://10.0.0.8:8002/')).toContain('it is an address of this service');
    expect(verdict(rules, 'http://10.0.0.8:5000/')).toBeUndefined();
    expect(verdict(rules, 'http://10.0.0.7/')).toBeUndefined();
  });

  it('yield to the list, but a forbidden port only to that very port', () => {
    expect(
      verdict(new OriginRules({ forbid, allow: [{ host: '10.0.0.9' }] }), 'http://10.0.0.9:5000/'),
    ).toBeUndefined();
    const wide = new OriginRules({ forbid, allow: [{ host: '10.0.0.8' }] });
    expect(verdict(wide, 'http://10.0.0.8:5000/')).toBeUndefined();
    expect(verdict(wide, 'http://10.0.0.8:8002/')).toContain('is refused');
    const exact = new OriginRules({ forbid, allow: [{ host: '10.0.0.8', port: 8002 }] });
    expect(verdict(exact, 'http://10.0.0.8:8002/')).toBeUndefined();
  });

  it('are none outside of a cluster', () => {
    expect(clusterApi({})).toEqual([]);
  });
});

describe('credentials in a URL', () => {
  it.each(['http://user:hunter2@registry.example/', 'http://user@10.0.0.1/', 'https://:hunter2@registry.example/'])(
    'are refused, also on the list, and not repeated: %s',
    (url) => {
      const rules = new OriginRules({ allow: [{ host: new URL(url).hostname }] });
      for (const way of ['first-hand', 'redirect'] as const) {
        const text = verdict(rules, url, way);
        expect(text).toContain('its URL holds a user name or password; send an Authorization header instead.');
        expect(text).not.toContain('hunter2');
      }
    },
  );
});
