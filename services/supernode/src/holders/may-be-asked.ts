import { classOf } from '@cdk8s-dragonfly/origin';

/**
 * At such an address nobody is another's neighbour: nobody makes this supernode or a daemon ask itself or a metadata service. Reserved ones are not
 * among them, for there are networks of nodes in 240.0.0.0/4 and 198.18.0.0/15.
 */
const NEVER_ASKED: ReadonlySet<string> = new Set(['loopback', 'link-local', 'unspecified', 'multicast', 'metadata']);

/**
 * Whether a client may be asked for blocks, by this supernode and by its neighbours, at the address that it names as its own.
 *
 * @param remote where the client is seen: that is its own. A daemon on its node's network may be seen under another of its addresses.
 */
export function mayBeAsked(ip: string, remote: string | undefined): boolean {
  // An IPv4 address in an IPv6 socket (RFC 4291, 2.5.5.2).
  return ip === remote?.replace(/^::ffff:/, '') || !NEVER_ASKED.has(classOf(ip));
}
