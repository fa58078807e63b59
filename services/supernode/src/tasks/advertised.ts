import { networkInterfaces } from 'node:os';

/** Where this supernode is reached by its clients. */
export interface Address {
  readonly ip: string;
  readonly port: number;
}

/**
 * The address to advertise when none is configured: this machine's first that is neither loopback nor link-local, IPv4 before IPv6, as the
 * originals choose it. On a machine that has only loopback: 127.0.0.1.
 */
export function defaultAdvertisedIp(interfaces = networkInterfaces()): string {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ internal, address }) => !internal && !/^(?:169\.254\.|fe[89ab])/i.test(address));
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address ?? '127.0.0.1';
}
