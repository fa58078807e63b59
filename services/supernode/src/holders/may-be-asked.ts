import { classOf } from '@cdk8s-dragonfly/origin';

/** Whose blocks may be asked for at the address that they name: nobody makes this supernode ask itself or a metadata service. */
const ASKED: ReadonlySet<string> = new Set(['private', 'public']);

/**
 * Whether the supernode may ask at an address that a client names as its own.
 *
 * @param remote where the client is seen: that is its own. A daemon on its node's network may be seen under another of its addresses.
 */
export function mayBeAsked(ip: string, remote: string | undefined): boolean {
  // An IPv4 address in an IPv6 socket (RFC 4291, 2.5.5.2).
  return ip === remote?.replace(/^::ffff:/, '') || ASKED.has(classOf(ip));
}
