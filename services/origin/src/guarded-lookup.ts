import type { LookupFunction } from 'node:net';
import { codeOf } from './failure';
import { hostAndPort } from './host-port';
import { OriginError } from './origin-error';
import type { OriginRules, Way } from './origin-rules';
import type { Resolver } from './resolver';

async function checked(url: URL, way: Way, rules: OriginRules, resolve: Resolver): Promise<readonly string[]> {
  const addresses = await resolve(url.hostname);
  if (addresses.length === 0) {
    const text = `Origin ${hostAndPort(url)} cannot be reached: its name has no address.`;
    throw new OriginError('unreachable', text, { retryable: true });
  }
  for (const address of addresses) {
    rules.checkAddress(url, address, way);
  }
  return addresses;
}

/**
 * The name resolution of connections that go only where the rules allow. A name is resolved once a connection, every address is
 * checked, and the connection is made to those very addresses: what the name service says a moment later has no part in it.
 */
export function guardedLookup(url: URL, way: Way, rules: OriginRules, resolve: Resolver): LookupFunction {
  return (_hostname, { all }, callback) => {
    checked(url, way, rules, resolve).then(
      (addresses) => {
        const entries = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
        const [first] = entries;
        if (all === true || first === undefined) {
          callback(null, entries);
        } else {
          callback(null, first.address, first.family);
        }
      },
      (error: unknown) =>
        callback(
          error instanceof OriginError
            ? error
            : Object.assign(new Error('not resolved', { cause: error }), { code: codeOf(error) }),
          '',
        ),
    );
  };
}
