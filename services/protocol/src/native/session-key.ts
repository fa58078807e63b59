import { createHash, timingSafeEqual } from 'node:crypto';

/** The header with the key of a daemon's session: a secret that only the daemon and its supernodes know. */
export const SESSION_KEY_HEADER = 'x-dragonfly-session-key';

/** So many bytes of the key's SHA-256 stand in the name. */
const FINGERPRINT = 16;

const PROVABLE = /~([0-9a-f]{32})$/;

/**
 * A daemon's name in the swarm that it alone can use: it ends with the fingerprint of its key, so every supernode, also one that was started
 * anew, can tell whether who uses the name has the key.
 */
export function provableCid(name: string, key: string): string {
  return `${name}~${fingerprint(key).toString('hex')}`;
}

/**
 * Whether who came with this key may use the name. A name without a fingerprint has nothing to prove: daemons before 0.2 have none.
 *
 * @param key the header's value.
 */
export function mayUseCid(cid: string, key: string | readonly string[] | undefined): boolean {
  const [, wanted] = PROVABLE.exec(cid) ?? [];
  if (wanted === undefined) return true;
  return typeof key === 'string' && timingSafeEqual(Buffer.from(wanted, 'hex'), fingerprint(key));
}

/** Whether a name is one that its daemon alone can use. */
export function isProvable(cid: string): boolean {
  return PROVABLE.test(cid);
}

function fingerprint(key: string): Buffer {
  return createHash('sha256').update(`dragonfly session\n${key}`).digest().subarray(0, FINGERPRINT);
}
