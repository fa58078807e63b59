import ipaddr from 'ipaddr.js';

/** What an IP address is for, as far as it matters for what may be asked. */
export type AddressClass =
  'loopback' | 'link-local' | 'unspecified' | 'multicast' | 'metadata' | 'private' | 'reserved' | 'public';

type Table = readonly (readonly [AddressClass, readonly string[]])[];

/** IANA IPv4 Special-Purpose Address Registry (RFC 6890), and the metadata services of clouds. The first match counts. */
const IPV4: Table = [
  ['metadata', ['169.254.169.254/32', '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32']],
  ['unspecified', ['0.0.0.0/8']],
  ['loopback', ['127.0.0.0/8']],
  ['link-local', ['169.254.0.0/16']],
  ['multicast', ['224.0.0.0/4', '255.255.255.255/32']],
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10']],
  [
    'reserved',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.31.196.0/24',
      '192.52.193.0/24',
      '192.88.99.0/24',
      '192.175.48.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
    ],
  ],
  ['public', ['0.0.0.0/0']],
];

/** IANA IPv6 Special-Purpose Address Registry; only 2000::/3 is given out as global unicast (RFC 4291, 2.4). */
const IPV6: Table = [
  ['metadata', ['fd00:ec2::254/128', 'fd20:ce::254/128']],
  ['unspecified', ['::/128']],
  ['loopback', ['::1/128']],
  ['link-local', ['fe80::/10']],
  ['multicast', ['ff00::/8']],
  ['private', ['fc00::/7', 'fec0::/10']],
  ['reserved', ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']],
  ['public', ['2000::/3']],
  ['reserved', ['::/0']],
];

/** IPv6 prefixes whose last 32 bits are an IPv4 address that is reached in the end (RFC 4291 2.5.5, RFC 6052, RFC 6145). */
const EMBEDDING = ['::ffff:0:0/96', '64:ff9b::/96', '::ffff:0:0:0/96', '::/96'];

function within(address: ipaddr.IPv4 | ipaddr.IPv6, cidr: string): boolean {
  const range = ipaddr.parseCIDR(cidr);
  return address.kind() === range[0].kind() && address.match(range);
}

function embedded(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const bytes = address.toByteArray();
  if (within(address, '2002::/16')) {
    return new ipaddr.IPv4(bytes.slice(2, 6));
  }
  const smallest = bytes.slice(0, 15).every((byte) => byte === 0) && (bytes[15] ?? 0) <= 1;
  return !smallest && EMBEDDING.some((prefix) => within(address, prefix))
    ? new ipaddr.IPv4(bytes.slice(12, 16))
    : undefined;
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const zone = address.indexOf('%');
  return ipaddr.parse(zone === -1 ? address : address.slice(0, zone));
}

/**
 * The address that is reached in the end, in its usual form: an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) stands for itself.
 *
 * @throws Error when it is not an IP address.
 */
export function innermost(address: string): string {
  const parsed = parse(address);
  return (parsed instanceof ipaddr.IPv6 ? (embedded(parsed) ?? parsed) : parsed).toString();
}

/**
 * The class of an address in any form that ipaddr.js reads, an IPv6 zone is ignored. An IPv6 address that holds an IPv4 one has the
 * class of the inner one; 6to4 is never public.
 *
 * @throws Error when it is not an IP address.
 */
export function classOf(address: string): AddressClass {
  const outer = parse(address);
  const inner = ipaddr.parse(innermost(address));
  const table = inner.kind() === 'ipv4' ? IPV4 : IPV6;
  const found = table.find(([, ranges]) => ranges.some((range) => within(inner, range)))?.[0] ?? 'reserved';
  return found === 'public' && within(outer, '2002::/16') ? 'reserved' : found;
}
