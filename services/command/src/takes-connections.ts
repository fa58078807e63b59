import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Whether somebody takes connections at a URL: of those who say nothing, this tells one that hangs from one that packets do not reach.
 * Never rejects: why none is taken is for whoever asked before.
 *
 * @param ms how long a connection may take, in milliseconds.
 */
export async function takesConnections({ hostname, port, protocol }: URL, ms: number): Promise<boolean> {
  const usual = protocol === 'https:' ? 443 : 80;
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ms) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
