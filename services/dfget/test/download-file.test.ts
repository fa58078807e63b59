import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { runCommand } from '@cdk8s-dragonfly/command';
import { DFGET } from '@cdk8s-dragonfly/contract';
import { downloadFile } from '@cdk8s-dragonfly/dfget';

import { selfSigned } from '../../origin/test/certificate';

const content = randomBytes(3_000_000);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...argv: string[]): Promise<Ran> {
  return runUntil(new Promise(() => undefined), ...argv);
}

/** The environment of the runs. */
let env: Record<string, string> = {};

/** As {@link run}, with a Ctrl-C when `interrupted` resolves. */
async function runUntil(interrupted: Promise<void>, ...argv: string[]): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(DFGET, downloadFile, {
    argv,
    env,
    stdout,
    stderr,
    readFile: () => {
      throw Object.assign(new Error('no file'), { code: 'ENOENT' });
    },
    onSignal: (listener) => {
      void interrupted.then(() => listener('SIGINT'));
      return () => undefined;
    },
    onUnhandled: () => () => undefined,
  });
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}

/** Resolves when it is so; what is on disk tells nobody of its changes. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

describe('dfget', () => {
  let folder: string;
  let origin: Server;
  let url: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfget-'));
    env = {};
    answer = (_request, response) => response.writeHead(200, { 'content-length': content.length }).end(content);
    origin = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/dir/file.bin`;
  });
  afterEach(async () => {
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
    await rm(folder, { recursive: true });
  });

  const get = (...more: string[]): ReturnType<typeof run> =>
    run('-u', url, '-o', join(folder, 'out'), '--home', join(folder, 'home'), ...more);

  it('writes the file, tells how it went in the last line, and leaves no data behind', async () => {
    const { code, out } = await get();
    expect(code).toBe(0);
    expect(out).toContain('2.9 MiB (0 B from peers, 0 B from the supernode, 2.9 MiB from the origin)\n');
    expect(out).toMatch(/\ndownload SUCCESS\(0\) cost:\d+\.\d{3}s length:3000000 reason:8\n$/);
    expect(content.equals(await readFile(join(folder, 'out')))).toBe(true);
    expect(await readdir(join(folder, 'home'))).toEqual([]);
    expect((await readdir(folder)).sort()).toEqual(['home', 'out']);
  });

  describe('a download that was interrupted', () => {
    /** An origin that gives the first bytes and then waits, until the second request for them. */
    function standsStill(bytes: number, etag = '"1"'): { readonly asked: string[]; readonly reached: Promise<void> } {
      const asked: string[] = [];
      let reach = (): void => undefined;
      const reached = new Promise<void>((resolve) => (reach = resolve));
      answer = (request, response) => {
        asked.push(request.headers.range ?? 'all');
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const range = `bytes ${from}-${content.length - 1}/${content.length}`;
        const part = from > 0 ? { 'content-range': range } : {};
        response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from, etag, ...part });
        if (asked.length > 1) response.end(content.subarray(from));
        else response.write(content.subarray(0, bytes), reach);
      };
      return { asked, reached };
    }

    const md5 = createHash('md5').update(content).digest('hex');
    const sha256 = createHash('sha256').update(content).digest('hex');

    /** Runs until the first blocks are on disk and then hits Ctrl-C. */
    async function interrupt(...more: string[]): Promise<Ran> {
      const argv = ['-u', url, '-o', join(folder, 'out'), ...more];
      const isThere = async (): Promise<boolean> => {
        const [transit] = (await readdir(folder)).filter((name) => name.endsWith('.dfget'));
        const files = transit === undefined ? [] : await readdir(join(folder, transit), { recursive: true });
        const table = files.find((name) => name.endsWith('.blocks'));
        // A head of 256 bytes and 104 for each block.
        return table !== undefined && (await stat(join(folder, transit ?? '', table))).size >= 256 + 4 * 104;
      };
      return runUntil(eventually(isThere), ...argv);
    }

    it.each([
      ['--sha256', sha256],
      ['--md5', md5],
    ])('ends with 130 and what came, and goes on from there: %s', async (...digest) => {
      const { asked } = standsStill(1_200_000);
      const first = await interrupt(...digest);
      expect(first.code).toBe(130);
      expect(first.err).toMatch(/^dfget: 1 MiB are kept in .*\.dfget; the same command goes on from there\n$/);
      expect(await readdir(folder)).toEqual([expect.stringMatching(/^\.out\.[0-9a-f]{12}\.dfget$/)]);
      const second = await run('-u', url, '-o', join(folder, 'out'), ...digest);
      expect(second).toMatchObject({ code: 0, err: '' });
      expect(second.out).toContain('1.9 MiB from the origin, 1 MiB from an earlier run)');
      expect(asked).toEqual(['all', 'bytes=1048576-']);
      expect(content.equals(await readFile(join(folder, 'out')))).toBe(true);
      expect(await readdir(folder)).toEqual(['out']);
    });

    it('fetches again what was damaged meanwhile', async () => {
      const { asked } = standsStill(1_200_000);
      await interrupt('--sha256', sha256);
      const [transit = ''] = await readdir(folder);
      const files = await readdir(join(folder, transit), { recursive: true });
      const part = await open(join(folder, transit, files.find((name) => name.endsWith('.part')) ?? ''), 'r+');
      await part.write('damaged', 300_000);
      await part.close();
      expect(await run('-u', url, '-o', join(folder, 'out'), '--sha256', sha256)).toMatchObject({ code: 0, err: '' });
      expect(content.equals(await readFile(join(folder, 'out')))).toBe(true);
      expect(asked.length).toBeGreaterThan(1);
    });

    it('begins anew where nobody can say what the whole must be', async () => {
      const { asked } = standsStill(1_200_000);
      expect((await interrupt()).code).toBe(130);
      expect((await run('-u', url, '-o', join(folder, 'out'))).code).toBe(0);
      expect(asked).toEqual(['all', 'all']);
      expect(content.equals(await readFile(join(folder, 'out')))).toBe(true);
    });

    it('begins anew when other content stands there meanwhile', async () => {
      const { asked } = standsStill(1_200_000);
      const other = randomBytes(2_000_000);
      const digest = createHash('sha256').update(other).digest('hex');
      expect((await interrupt('--sha256', digest)).code).toBe(130);
      const told: string[] = [];
      answer = (request, response) => {
        told.push(request.headers.range ?? 'all');
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        const part = from > 0 ? { 'content-range': `bytes ${from}-${other.length - 1}/${other.length}` } : {};
        response.writeHead(from > 0 ? 206 : 200, { 'content-length': other.length - from, ...part });
        response.end(other.subarray(from));
      };
      expect(await run('-u', url, '-o', join(folder, 'out'), '--sha256', digest)).toMatchObject({ code: 0, err: '' });
      expect([asked, told]).toEqual([['all'], ['bytes=1048576-', 'all']]);
      expect(other.equals(await readFile(join(folder, 'out')))).toBe(true);
    });
  });

  it.each([
    ['--md5', 'd41d8cd98f00b204e9800998ecf8427e', 'the MD5'],
    ['--sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'the SHA-256'],
  ])('puts nothing in place that has another digest than %s', async (flag, digest, named) => {
    await writeFile(join(folder, 'out'), 'before');
    const { code, out, err } = await get(flag, digest);
    expect(code).toBe(80);
    expect(err).toMatch(new RegExp(`^dfget: .*3000000 bytes .*${named} .*thrown away\n$`));
    expect(out).toMatch(/^download FAIL\(1104\) .* reason:2\n$/);
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('before');
    expect(await readdir(join(folder, 'home'))).toEqual([]);
  });

  it('does not ask the origin when it must not, with the reasons of the original', async () => {
    let asked = 0;
    answer = (_request, response) => {
      asked += 1;
      response.end('x');
    };
    const alone = await get('--notbs');
    expect([alone.code, alone.err]).toEqual([
      80,
      'dfget: no supernode is configured, and the origin may not be asked\n',
    ]);
    expect(alone.out).toMatch(/^download FAIL\(1104\) .* reason:1008\n$/);
    const dead = await get('--notbs', '--node', '127.0.0.1:1');
    expect(dead.out).toMatch(/^download FAIL\(1104\) .* reason:1001\n$/);
    expect(asked).toBe(0);
  });

  it('asks the origin alone with --pattern source', async () => {
    const { code, out, err } = await get('--pattern', 'source', '--node', '127.0.0.1:1');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/ reason:100\n$/);
  });

  it('ends in time, and keeps what came', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 600_000));
    };
    const { code, err } = await get('--timeout', '1', '--sha256', '0'.repeat(64));
    expect(code).toBe(80);
    expect(err).toMatch(/^dfget: not done within 1 s \(--timeout\)\ndfget: 512 KiB are kept in .*\n$/);
  });

  it('takes over the mode of new files, whatever stood there, and shows lines where there is no terminal', async () => {
    await writeFile(join(folder, 'out'), 'before', { mode: 0o600 });
    await writeFile(join(folder, 'like'), '', { mode: 0o666 });
    const { err } = await get('--showbar');
    expect(err).toContain('100%  2.9 MiB of 2.9 MiB');
    expect((await stat(join(folder, 'out'))).mode).toBe((await stat(join(folder, 'like'))).mode);
  });

  it('tells which flags of the original mean nothing here, and takes them', async () => {
    const { code, err } = await get('--callsystem', 'x', '--clientqueue', '6', '--dfdaemon', '--alivetime', '5m0s');
    expect([code, err.split('\n').slice(0, -1)]).toEqual([
      0,
      [
        'dfget: --callsystem has no effect: the supernode keeps no account by caller',
        'dfget: --clientqueue has no effect: blocks are asked for as fast as the disk takes them',
        'dfget: --alivetime has no effect: it is offered while it is downloaded; no process stays behind',
      ],
    ]);
  });

  it("takes the command line of the original's df-daemon", async () => {
    const argv = ['--dfdaemon', '--callsystem', 'com_ops_dragonfly', '-f', 'Signature&Expires', '-s', '20M'];
    const { code, out } = await get(...argv, '--totallimit', '20M', '--header', 'X-Forwarded-For:127.0.0.1');
    expect([code, out]).toEqual([0, expect.stringContaining('download SUCCESS(0)')]);
    expect(await get('-s', '20X')).toMatchObject({
      code: 1,
      err: 'dfget: --locallimit must be a rate such as 20M (a whole number above 0 of bytes a second, or with K, M or G for KiB, MiB or GiB), not "20X"\n',
    });
  });

  it('refuses a device as output', async () => {
    const { code, err } = await run('-u', url, '-o', '/dev/null');
    expect([code, err]).toEqual([1, 'dfget: --output /dev/null is a device, pipe or socket; name a file\n']);
  });

  it("sends the user's headers to the origin", async () => {
    let seen: IncomingMessage['headers'] = {};
    answer = (request, response) => {
      seen = request.headers;
      response.end('x');
    };
    expect((await get('--header', 'X-One: a:b', '--header', 'Authorization: Basic eDp5')).code).toBe(0);
    expect(seen).toMatchObject({ 'x-one': 'a:b', authorization: 'Basic eDp5' });
  });

  it('fails as the original does when the origin refuses, in one line, and keeps what stood there', async () => {
    await writeFile(join(folder, 'out'), 'before');
    answer = (_request, response) => response.writeHead(404).end();
    const refused = await get();
    expect(refused.code).toBe(80);
    expect(refused.err).toMatch(/^dfget: Origin 127\.0\.0\.1:\d+ answered with status 404\.\n$/);
    expect(refused.out).toMatch(/^download FAIL\(1104\) cost:\d+\.\d{3}s length:0 reason:8\n$/);
    answer = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    expect((await get()).code).toBe(79);
    expect(await readFile(join(folder, 'out'), 'utf8')).toBe('before');
    expect((await readdir(folder)).sort()).toEqual(['home', 'out']);
  });

  it('never leaves a file that was cut short', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
      setImmediate(() => request.socket.destroy());
    };
    const { code, err } = await get('--origin-first-byte-timeout', '1s');
    expect(code).toBe(80);
    expect(err).toContain('127.0.0.1');
    expect(await readdir(folder)).toEqual(['home']);
  });

  it.each([
    [['-u', 'ftp://x/y'], '--url must be an absolute http or https URL, not "ftp://x/y"'],
    [[], '--url'],
    [['-u', 'http://127.0.0.1:1/'], '--output is needed: http://127.0.0.1:1/ has no file name at its end'],
    [['-u', 'http://127.0.0.1:1/a%2F..%2Fb'], '--output is needed: "a/../b" at the end of the URL is no file name'],
    [['-u', 'http://127.0.0.1:1/x', '--header', 'nonsense'], `--header: "nonsense" is no header; write 'Name: value'`],
  ])('ends with exit code 1 and one line for %j', async (argv, message) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('says when a supernode was named and did not help, with the reason of the original', async () => {
    const { code, out, err } = await get('--node', '127.0.0.1:1');
    expect([code, err]).toEqual([0, 'dfget: the swarm did not help with all of it; --log-level warn tells why\n']);
    expect(out).toMatch(/length:3000000 reason:1\n$/);
  });

  it('refuses a path below a file in one line', async () => {
    await writeFile(join(folder, 'out'), '');
    const { code, err } = await run('-u', url, '-o', join(folder, 'out/x'), '--home', join(folder, 'home'));
    expect([code, err]).toEqual([
      1,
      `dfget: --output ${join(folder, 'out/x')} cannot be written: ENOTDIR; name another file\n`,
    ]);
  });

  it.each([
    [['--home', '/proc/x', '-o', 'FOLDER/out'], '/proc/x'],
    [['--home', 'FOLDER/home', '-o', '/proc/x/y'], '/proc/x/y'],
  ])('ends where no folder can be made: %j', async (argv, path) => {
    const { code, err } = await run('-u', url, ...argv.map((word) => word.replace('FOLDER', folder)));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^dfget: --output .*${path}.* cannot be written: `)),
    ]);
  });

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
      await writeFile(join(folder, 'ca.pem'), server.cert);
      await writeFile(join(folder, 'own.pem'), client.cert);
      await writeFile(join(folder, 'own.key'), client.key);
    });
    afterEach(() => {
      secure.closeAllConnections();
      secure.close();
    });

    const secured = (...more: string[]): Promise<Ran> =>
      run('-u', `https://${name}/file`, '-o', join(folder, 'out'), ...more);

    it('is trusted by --origin-ca, and shown --origin-cert', async () => {
      const ca = ['--origin-ca', `${name}=${join(folder, 'ca.pem')}`];
      const own = [
        '--origin-cert',
        `${name}=${join(folder, 'own.pem')}`,
        '--origin-key',
        `${name}=${join(folder, 'own.key')}`,
      ];
      expect(await secured(...ca)).toMatchObject({ code: 0, err: '' });
      expect(seen).toBe(false);
      expect(await secured(...ca, ...own)).toMatchObject({ code: 0, err: '' });
      expect(seen).toBe(true);
      expect(content.equals(await readFile(join(folder, 'out')))).toBe(true);
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
    answer = (request, response) => {
      asked.push(request.url ?? '');
      response.end('x');
    };
    origin.on('connect', (request, socket) => {
      asked.push(request.url ?? '');
      socket.end('HTTP/1.1 403 no\r\n\r\n');
    });
    env = { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: 'other.test' };
    await run('-u', 'https://192.0.2.1/file', '-o', join(folder, 'out'));
    await run('-u', 'http://192.0.2.1/file', '-o', join(folder, 'out'));
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.every((one) => one.includes('192.0.2.1'))).toBe(true);
    env = { HTTP_PROXY: 'ftp://x' };
    expect(await get()).toMatchObject({
      code: 1,
      err: expect.stringContaining('the environment variable HTTP_PROXY') as string,
    });
  });

  it('refuses a folder as output', async () => {
    await mkdir(join(folder, 'out'));
    const { code, err } = await get();
    expect([code, err]).toEqual([1, `dfget: --output ${join(folder, 'out')} is a folder; name a file\n`]);
  });
});
