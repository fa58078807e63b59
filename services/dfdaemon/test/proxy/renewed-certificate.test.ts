import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { proxySettings } from '../../src/proxy/proxy-from';
import { makeAuthority } from '../support/authority';
import { askSecurely } from '../support/proxy-client';
import { ProxyWorld } from '../support/proxy-world';

type Values = Parameters<typeof proxySettings>[0];

describe('the certificate and key of the proxy', () => {
  let folder = '';
  let world: ProxyWorld;
  let now = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'renewed-'));
    world = await ProxyWorld.open();
  });
  beforeEach(() => {
    world.reset();
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await world.stop();
  });
  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  it('are used anew when both have changed; until then, and when they cannot be read, the former ones are', async () => {
    const [first, second] = [makeAuthority('ec'), makeAuthority('rsa')];
    const [hijackCert, hijackKey] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
    await writeFile(hijackCert, first.cert);
    await writeFile(hijackKey, first.key);
    const said: [object, string][] = [];
    const log = {
      debug: (): void => undefined,
      warn: (fields: object, message: string): void => void said.push([fields, message]),
    };
    const values = { proxies: [], hijackHosts: [], hijackCert, hijackKey } satisfies Partial<Values>;
    const { certificates } = proxySettings(values as unknown as Values, log);
    const port = await world.start({ certificates });
    const statusFor = async ({ cert }: { cert: string }): Promise<number> => {
      now += 1000;
      return (await askSecurely(port, world.secureHost, '/', { ca: cert })).status;
    };
    expect(await statusFor(first)).toBe(200);

    await writeFile(hijackCert, second.cert);
    expect(await statusFor(first)).toBe(200);
    expect(await statusFor(first)).toBe(200);
    const files = [hijackCert, hijackKey];
    const former = 'changed files cannot be used; what they said before counts';
    expect(said).toEqual([
      [{ files, why: 'hijack_https.key is not the key of the certificate in hijack_https.cert' }, former],
    ]);

    await rm(hijackKey);
    expect(await statusFor(first)).toBe(200);
    expect(await statusFor(first)).toBe(200);
    expect(said.slice(1)).toEqual([[{ files, why: expect.stringMatching(`ENOENT.*${hijackKey}`) as string }, former]]);

    await writeFile(hijackKey, second.key);
    expect(await statusFor(second)).toBe(200);
    await expect(statusFor(first)).rejects.toThrow(/unable to|self.signed|issuer|signature/i);
    expect(said.slice(2)).toEqual([[{ files }, 'changed files are used as they are now']]);
  });
});
