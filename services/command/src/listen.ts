import { once } from 'node:events';
import type { Server } from 'node:net';
import { ALL_ADDRESSES } from '@cdk8s-dragonfly/contract';
import { formatAddress } from './address';
import { CommandError } from './errors';
import { codeOf } from './text-file';

/** Where a server shall listen. */
export interface ListenOptions {
  /** An IP address or a name of this machine, or {@link ALL_ADDRESSES}. */
  readonly host: string;
  /** 1 to 65535, or 0 for any free port. */
  readonly port: number;
  /** The flag that chooses the port, for messages. Default `--port`. */
  readonly portFlag?: string;
  /** The flag that chooses the host, for messages. Default: the port's. */
  readonly hostFlag?: string;
}

/**
 * So many connections wait until the process takes them, as far as the kernel lets them (`net.core.somaxconn`, 4096 by default). With the 511 of
 * Node.js, those beyond are dropped unseen when thousands of daemons come at once, and their next tries are after 1, 3 and 7 s.
 */
export const LISTEN_BACKLOG = 4096;

/** What a kernel without IPv6 says of its addresses. */
export const NO_IPV6: readonly (string | undefined)[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL'];
const ALL_OF_IPV4 = '0.0.0.0';

/** Where a server listens. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Makes a TCP or HTTP server listen.
 * @param what What it is, for the message, such as `the mirror`.
 * @returns The address with the port that was bound.
 * @throws CommandError that says why not and which flag to change.
 */
export async function listen(server: Server, options: ListenOptions, what: string): Promise<BoundAddress> {
  const { port } = options;
  try {
    await listenAt(options.host, async (host) => {
      server.listen({ host, port, backlog: LISTEN_BACKLOG });
      await once(server, 'listening');
    });
  } catch (error) {
    throw listenError(error, options, what);
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError(`${what} has no TCP address`);
  return Object.freeze({ host: bound.address, port: bound.port });
}

/** Has a server that listens by itself do so at `host`, on all addresses of IPv4 when all are meant and there is no IPv6. */
export async function listenAt(host: string, attempt: (host: string) => Promise<unknown>): Promise<void> {
  try {
    await attempt(host);
  } catch (error) {
    if (host !== ALL_ADDRESSES || !NO_IPV6.includes(codeOf(error))) throw error;
    await attempt(ALL_OF_IPV4);
  }
}

/** A failure to listen as one line for the user; any other error as it is. For servers that listen by themselves. */
export function listenError(error: unknown, options: ListenOptions, what: string): unknown {
  const reason = reasonOf(codeOf(error), options);
  if (reason === undefined) return error;
  const where = formatAddress(options.host, options.port);
  return new CommandError(`${what} cannot listen on ${where}: ${reason}`, 1, { cause: error });
}

function reasonOf(code: string | undefined, options: ListenOptions): string | undefined {
  const portFlag = options.portFlag ?? '--port';
  const hostFlag = options.hostFlag ?? portFlag;
  switch (code) {
    case 'EADDRINUSE':
      return `the port is in use; stop what uses it or choose another with ${portFlag}`;
    case 'EACCES':
      return `permission denied; choose a port above 1023 with ${portFlag}, or run as root`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `this machine has no such address; choose one that it has with ${hostFlag}`;
    case undefined:
    default:
      return undefined;
  }
}
