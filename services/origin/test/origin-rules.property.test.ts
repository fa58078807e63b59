import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import type { Way } from '../src';
import { classOf, OriginError, OriginRules } from '../src';

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
