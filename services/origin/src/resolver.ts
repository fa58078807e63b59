import { lookup } from 'node:dns/promises';

/** Turns a host name into its addresses, in the order in which they are to be tried. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;

/** The operating system's resolver: /etc/hosts, search domains and DNS, as `getaddrinfo` has them. */
export const systemResolver: Resolver = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);
