import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import type { HostPort, Way } from '../src';
import { classOf, clusterApi, OriginError, OriginRules } from '../src';

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

describe('classOf', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['::ffff:0:7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1%eth0.100', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['224.0.0.1', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'multicast'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fec0::1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['198.18.0.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['203.0.113.9', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['2002:808:808::1', 'reserved'],
    ['2001::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['100::1', 'reserved'],
    ['64:ff9b:1::1', 'reserved'],
    ['172.32.0.1', 'public'],
    ['100.128.0.1', 'public'],
    ['8.8.8.8', 'public'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
  ])('%s is %s', (address, expected) => {
    expect(classOf(address)).toBe(expected);
  });

  it('throws for what is no address', () => {
    expect(() => classOf('example.com')).toThrow('ipaddr');
  });
});

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

describe('any address', () => {
  const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.'));
  const inward = fc.oneof(
    fc
      .constantFrom('127', '0', '224', '239', '169.254')
      .chain((first) =>
        fc
          .array(fc.nat(255), { minLength: 3, maxLength: 3 })
          .map((rest) => [...first.split('.'), ...rest].slice(0, 4).join('.')),
      ),
  );
  const number = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const spellings = (address: string): string[] => [
    address,
    `${number(address)}`,
    `0x${number(address).toString(16)}`,
    `0${number(address).toString(8)}`,
    address
      .split('.')
      .map((part) => `0${Number(part).toString(8)}`)
      .join('.'),
    `[::ffff:${address}]`,
    `[64:ff9b::${address}]`,
    `[${ipaddr.IPv4.parse(address).toIPv4MappedAddress().toNormalizedString()}]`,
  ];

  it('that leads inward is refused in every spelling, both ways, without a list', () => {
    fc.assert(
      fc.property(inward, fc.constantFrom<Way>('first-hand', 'redirect'), (address, way) => {
        for (const host of spellings(address)) {
          expect(verdict(open, `https://${host}/`, way)).toBeDefined();
        }
        expect(verdict(open, 'https://name.example/', way, [address])).toBeDefined();
      }),
    );
  });

  it('has one verdict, as URL and as resolved address, in every spelling', () => {
    fc.assert(
      fc.property(ipv4, fc.constantFrom<Way>('first-hand', 'redirect'), (address, way) => {
        const expected = verdict(open, `https://${address}/`, way) === undefined;
        for (const host of spellings(address)) {
          expect(verdict(open, `https://${host}/`, way) === undefined).toBe(expected);
        }
        expect(verdict(open, 'https://name.example/', way, [address]) === undefined).toBe(expected);
      }),
    );
  });

  it('that a redirect may lead to may be asked first-hand, and is public', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, fc.ipV6()), (address) => {
        const host = address.includes(':') ? `[${address}]` : address;
        const redirected = verdict(open, `https://${host}/`, 'redirect') === undefined;
        expect(redirected).toBe(classOf(address) === 'public');
        expect(redirected && verdict(open, `https://${host}/`) !== undefined).toBe(false);
      }),
    );
  });

  it('on the list is allowed, and the list only ever adds to redirects', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, fc.ipV6()), ipv4, fc.integer({ min: 1, max: 65_535 }), (address, other, port) => {
        const host = address.includes(':') ? `[${address}]` : address;
        const url = `http://${host}:${port}/`;
        expect(verdict(new OriginRules({ allow: [{ host: address, port }] }), url)).toBeUndefined();
        expect(verdict(new OriginRules({ allow: [{ host: address }] }), url, 'redirect')).toBeUndefined();
        const elsewhere = new OriginRules({ allow: [{ host: other }] });
        const before = verdict(open, `https://${host}/`, 'redirect') === undefined;
        expect(before && verdict(elsewhere, `https://${host}/`, 'redirect') !== undefined).toBe(false);
      }),
    );
  });
});
