import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * The address of this machine on the way to a server.
 *
 * @param timeout for the connection, in milliseconds.
 * @throws Error when no connection can be made.
 */
export async function localAddressTowards(host: string, port: number, timeout: number): Promise<string> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeout) });
    const { localAddress } = socket;
    if (localAddress === undefined) throw new Error(`the connection to ${host}:${port} has no local address`);
    // An IPv4 address in an IPv6 socket (RFC 4291, 2.5.5.2).
    return localAddress.replace(/^::ffff:/, '');
  } finally {
    socket.destroy();
  }
}
