import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The file in the supernode's home with its private key. */
const KEY_FILE = 'signing-key.pem';

/**
 * The Ed25519 key that attests blocks: read from the home directory, or made there at the first start (mode 0600), so that what daemons
 * keep is believed after a restart.
 *
 * @throws Error when the file is there and holds no such key.
 */
export async function loadSigningKey(home: string): Promise<KeyObject> {
  const path = join(home, KEY_FILE);
  let pem: string;
  try {
    pem = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    pem = await makeKey(home, path);
  }
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Error(`${path} holds no private key; remove it and a new one is made`, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Error(
      `${path} holds a key of type ${String(key.asymmetricKeyType)}, not Ed25519; remove it and a new one is made`,
    );
  }
  return key;
}

/** Writes a whole new key under a temporary name and gives it its name, unless another process was faster. */
async function makeKey(home: string, path: string): Promise<string> {
  await mkdir(home, { recursive: true });
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
