import { PORTS } from '@cdk8s-dragonfly/contract';
import { parse } from 'ini';
import { readAddress, type Address } from './address';
import { UsageError } from './errors';
import { quote } from './quote';
import { withoutWeight } from './weights';

/** A supernode's control API. */
export interface SupernodeAddress {
  readonly host: string;
  /** Default 8002. */
  readonly port: number;
}

/** With the port that supernodes have unless told otherwise (Dragonfly 0.x protocol, 1.4). */
export function supernodeAddress({ host, port = PORTS.supernodeApi }: Address): SupernodeAddress {
  return Object.freeze({ host, port });
}

/**
 * What a node file names as supernodes, as it stands there.
 *
 * @throws UsageError when the key has no value.
 */
export function namedNodes(text: string, file: string): readonly string[] {
  const section = parse(text)['node'];
  const value: unknown = typeof section === 'object' && section !== null && 'address' in section ? section.address : '';
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.some((one) => typeof one !== 'string')) {
    throw new UsageError(`the key address in [node] of ${file} has no value: write address=HOST[:PORT],…`);
  }
  const parts = values.flatMap((part) => String(part).split(','));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/**
 * The supernodes in a node file, the INI file `/etc/dragonfly.conf` (Dragonfly 0.x protocol, 1.4):
 *
 *     [node]
 *     address=10.0.0.1,supernode:8002
 *
 * @param text The text of the file.
 * @param file Its name, for messages. Default `the node file`.
 * @returns In the order of the file, without weights; none when it names none.
 * @throws UsageError when an address is wrong.
 */
export function readNodeConfig(text: string, file = 'the node file'): readonly SupernodeAddress[] {
  const nodes = namedNodes(text, file).map((part) => {
    const address = readAddress(withoutWeight(part));
    if (address) return supernodeAddress(address);
    throw new UsageError(
      `the key address in [node] of ${file} must be a list of HOST or HOST:PORT (IPv6 in brackets), not ${quote(part)}`,
    );
  });
  return Object.freeze(nodes);
}
