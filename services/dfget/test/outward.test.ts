import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { selfSigned } from '../../origin/test/certificate';
import { runDfget } from './support/run-dfget';
import type { Ran } from './support/run-dfget';
import { useOrigin } from './support/use-origin';

const content = randomBytes(300_000);

describe('the way of dfget to the origin', () => {
  const origin = useOrigin(content);

  describe('an origin that speaks https', () => {
    const [server, client] = [selfSigned(['127.0.0.1']), selfSigned(['client.test'])];
    let secure: Server;
    let name: string;
    let seen: boolean;
    beforeEach(async () => {
      const wants = { ...server, ca: [client.cert], requestCert: true, rejectUnauthorized: false };
      secure = createSecureServer(wants, (request, response) => {
        seen = 'authorized' in request.socket && request.socket.authorized === true;
        response.end(content);
      });
      await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
      name = `127.0.0.1:${(secure.address() as AddressInfo).port}`;
      await writeFile(join(origin.folder, 'ca.pem'), server.cert);
      await writeFile(join(origin.folder, 'own.pem'), client.cert);
      await writeFile(join(origin.folder, 'own.key'), client.key);
    });
    afterEach(() => {
      secure.closeAllConnections();
      secure.close();
    });

    const secured = (...more: string[]): Promise<Ran> =>
      runDfget(['-u', `https://${name}/file`, '-o', join(origin.folder, 'out'), ...more]);

    it('is trusted by --origin-ca, and shown --origin-cert', async () => {
      const ca = ['--origin-ca', `${name}=${join(origin.folder, 'ca.pem')}`];
      const own = [
        '--origin-cert',
        `${name}=${join(origin.folder, 'own.pem')}`,
        '--origin-key',
        `${name}=${join(origin.folder, 'own.key')}`,
      ];
      expect(await secured(...ca)).toMatchObject({ code: 0, err: '' });
      expect(seen).toBe(false);
      expect(await secured(...ca, ...own)).toMatchObject({ code: 0, err: '' });
      expect(seen).toBe(true);
      expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    });

    it('is not trusted without it', async () => {
      expect(await secured()).toMatchObject({
        code: 80,
        err: expect.stringMatching(/^dfget: .*certificate.*\n$/) as string,
      });
    });

    it('cannot be trusted by a file that is not there', async () => {
      expect(await secured('--origin-ca', '/nowhere.pem')).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^dfget: the certificate \/nowhere.pem cannot be used: .*\n$/) as string,
      });
    });
  });

  it('asks the origin through the proxy of the environment, unless NO_PROXY names it', async () => {
    const asked: string[] = [];
    origin.answer = (request, response) => {
      asked.push(request.url ?? '');
      response.end('x');
    };
    origin.server.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 no\r\n\r\n');
    });
    const env = { HTTP_PROXY: origin.url, HTTPS_PROXY: origin.url, NO_PROXY: 'other.test' };
    await runDfget(['-u', 'https://192.0.2.1/file', '-o', join(origin.folder, 'out')], { env });
    await runDfget(['-u', 'http://192.0.2.1/file', '-o', join(origin.folder, 'out')], { env });
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.every((one) => one.includes('192.0.2.1'))).toBe(true);
    const wrong = { HTTP_PROXY: 'ftp://x' };
    expect(await runDfget(['-u', origin.url, '-o', join(origin.folder, 'out')], { env: wrong })).toMatchObject({
      code: 1,
      err: expect.stringContaining('the environment variable HTTP_PROXY') as string,
    });
  });
});
