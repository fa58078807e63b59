import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { CommandError } from '@cdk8s-dragonfly/command';
import { makeFolder } from '@cdk8s-dragonfly/store';

/** The file in the supernode's home with its private key, when none is named. */
const KEY_FILE = 'signing-key.pem';

/**
 * The Ed25519 key that attests blocks. Without a named file it is read from the home directory, or made there at the first start (mode
 * 0600), so that what daemons keep is believed after a restart.
 *
 * @param named a PEM file (PKCS #8, RFC 8410) that must exist, such as the mount of a Secret that all replicas share.
 * @throws Error when the file holds no such key, or a named one is missing.
 */
export async function loadSigningKey(home: string, named: string | undefined): Promise<KeyObject> {
  const path = named ?? join(home, KEY_FILE);
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if (named !== undefined) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CommandError(`--signing-key ${named} cannot be read: ${why}`, 1, { cause: error });
    }
    pem = await firstKey(home, path, error);
  }
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new CommandError(`${path} holds no private key in PEM; ${mend(named)}`, 1, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    const type = String(key.asymmetricKeyType);
    throw new CommandError(`${path} holds a key of type ${type}, not Ed25519; ${mend(named)}`);
  }
  return key;
}

/** Makes the key when the file is only missing. */
async function firstKey(home: string, path: string, missing: unknown): Promise<string> {
  try {
    if ((missing as NodeJS.ErrnoException).code !== 'ENOENT') throw missing;
    return await makeKey(home, path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CommandError(`${path} can neither be read nor made (${why}); choose another folder with --home-dir`, 1, {
      cause: error,
    });
  }
}

function mend(named: string | undefined): string {
  return named === undefined ? 'remove it and a new one is made' : "make one with 'openssl genpkey -algorithm ed25519'";
}

/** Writes a whole new key under a temporary name and gives it its name, unless another process was faster. */
async function makeKey(home: string, path: string): Promise<string> {
  await makeFolder(home);
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const temporary = `${path}.${process.pid}`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(pem);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
    return pem;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readFile(path, 'utf8');
  } finally {
    await rm(temporary, { force: true });
  }
}
