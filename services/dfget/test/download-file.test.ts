import { createHash, randomBytes } from 'node:crypto';
import promises, { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';

import { SwarmNode } from '@cdk8s-dragonfly/engine';

import { runDfget } from './support/run-dfget';
import type { Ran } from './support/run-dfget';
import { useOrigin } from './support/use-origin';

const content = randomBytes(3_000_000);

describe('dfget', () => {
  const origin = useOrigin(content);
  const run = (...argv: string[]): Promise<Ran> => runDfget(argv);
  const get = (...more: string[]): Promise<Ran> =>
    run('-u', origin.url, '-o', join(origin.folder, 'out'), '--home', join(origin.folder, 'home'), ...more);

  it('writes the file, tells how it went in the last line, and leaves no data behind', async () => {
    const { code, out } = await get();
    expect(code).toBe(0);
    expect(out).toContain('2.9 MiB (0 B from peers, 0 B from the supernode, 2.9 MiB from the origin)\n');
    expect(out).toMatch(/\ndownload SUCCESS\(0\) cost:\d+\.\d{3}s length:3000000 reason:8\n$/);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(await readdir(join(origin.folder, 'home'))).toEqual([]);
    expect((await readdir(origin.folder)).sort()).toEqual(['home', 'out']);
  });

  it.each([
    ['--md5', 'd41d8cd98f00b204e9800998ecf8427e', 'the MD5'],
    ['--sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'the SHA-256'],
  ])('puts nothing in place that has another digest than %s', async (flag, digest, named) => {
    await writeFile(join(origin.folder, 'out'), 'before');
    const { code, out, err } = await get(flag, digest);
    expect(code).toBe(80);
    const got = createHash(flag.slice(2)).update(content).digest('hex');
    const path = join(origin.folder, 'out');
    expect(err).toBe(
      `dfget: the 3000000 bytes of ${origin.url} have ${named} ${got}, not ${digest}; they were thrown away, and ${path} is as it was before\n`,
    );
    expect(out).toMatch(/^download FAIL\(1104\) .* reason:2\n$/);
    expect(await readFile(join(origin.folder, 'out'), 'utf8')).toBe('before');
    expect(await readdir(join(origin.folder, 'home'))).toEqual([]);
  });

  it('does not ask the origin when it must not, with the reasons of the original', async () => {
    let asked = 0;
    origin.answer = (_request, response) => {
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
    origin.answer = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 600_000));
    };
    const { code, err } = await get('--timeout', '1', '--sha256', '0'.repeat(64));
    expect(code).toBe(80);
    expect(err).toMatch(/^dfget: not done within 1 s \(--timeout\)\ndfget: 512 KiB are kept in .*\n$/);
  });

  it('takes over the mode of new files, whatever stood there, and shows lines where there is no terminal', async () => {
    await writeFile(join(origin.folder, 'out'), 'before', { mode: 0o600 });
    await writeFile(join(origin.folder, 'like'), '', { mode: 0o666 });
    const { err } = await get('--showbar');
    expect(err).toContain('100%  2.9 MiB of 2.9 MiB');
    expect((await stat(join(origin.folder, 'out'))).mode).toBe((await stat(join(origin.folder, 'like'))).mode);
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

  it("sends the user's headers to the origin", async () => {
    let seen: IncomingMessage['headers'] = {};
    origin.answer = (request, response) => {
      seen = request.headers;
      response.end('x');
    };
    expect((await get('--header', 'X-One: a:b', '--header', 'Authorization: Basic eDp5')).code).toBe(0);
    expect(seen).toMatchObject({ 'x-one': 'a:b', authorization: 'Basic eDp5' });
  });

  it.each(['Range: bytes=0-9', 'HOST: other.test', 'Accept-Encoding: gzip', 'Connection: close'])(
    'refuses the header %s, which it would not send, but not of a df-daemon of the originals',
    async (header) => {
      const seen: IncomingMessage['rawHeaders'][] = [];
      origin.answer = (request, response) => {
        seen.push(request.rawHeaders);
        response.end('x');
      };
      const name = header.slice(0, header.indexOf(':'));
      expect(await get('--header', header)).toEqual({
        code: 1,
        out: '',
        err: `dfget: --header: ${name} is never sent as given: whoever fetches sets it itself or leaves it out; take it out of the command\n`,
      });
      expect(seen).toEqual([]);
      expect((await get('--dfdaemon', '--header', header, '--header', 'X-One:1')).code).toBe(0);
      expect(seen.flat()).toContain('X-One');
      expect(seen.flat()).not.toContain(header.slice(name.length + 2));
    },
  );

  it('follows a redirect to an inner host only when it is allowed, and names the flag that does', async () => {
    const { port } = new URL(origin.url);
    origin.answer = ({ headers, url }, response) => {
      if (headers.host === `localhost:${port}`) response.end(url);
      else response.writeHead(302, { location: `http://localhost:${port}/there` }).end();
    };
    const refused = await get();
    expect([refused.code, refused.err]).toEqual([
      80,
      `dfget: Origin localhost:${port} is refused: a redirect led there over plain http; allow it with --allow-origin localhost:${port}.\n`,
    ]);
    for (const allowed of [`localhost:${port}`, 'localhost']) {
      expect(await get('--allow-origin', 'other.test', '--allow-origin', allowed)).toMatchObject({ code: 0, err: '' });
      expect(await readFile(join(origin.folder, 'out'), 'utf8')).toBe('/there');
    }
  });

  it('fails as the original does when the origin refuses, in one line, and keeps what stood there', async () => {
    await writeFile(join(origin.folder, 'out'), 'before');
    origin.answer = (_request, response) => response.writeHead(404).end();
    const refused = await get();
    expect(refused.code).toBe(80);
    expect(refused.err).toMatch(/^dfget: Origin 127\.0\.0\.1:\d+ answered with status 404\.\n$/);
    expect(refused.out).toMatch(/^download FAIL\(1104\) cost:\d+\.\d{3}s length:0 reason:8\n$/);
    origin.answer = (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    const unknown = await get();
    expect(unknown.code).toBe(79);
    expect(unknown.err).toMatch(/ status 401: it wants credentials; give --header 'Authorization: …'\n$/);
    const wrong = await get('--header', 'authorization: Basic eDp5');
    expect(wrong.err).toMatch(/ status 401: it does not take the Authorization of --header\n$/);
    expect(await readFile(join(origin.folder, 'out'), 'utf8')).toBe('before');
    expect((await readdir(origin.folder)).sort()).toEqual(['home', 'out']);
  });

  it('never leaves a file that was cut short', async () => {
    origin.answer = (request, response) => {
      response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, 1_000_000));
      setImmediate(() => request.socket.destroy());
    };
    const { code, err } = await get('--origin-first-byte-timeout', '1s');
    expect(code).toBe(80);
    expect(err).toContain('127.0.0.1');
    expect(await readdir(origin.folder)).toEqual(['home']);
  });

  it.each([
    [['-u', 'ftp://x/y'], '--url must be an absolute http or https URL, not "ftp://x/y"'],
    [[], '--url'],
    [['-u', 'http://127.0.0.1:1/'], '--output is needed: http://127.0.0.1:1/ has no file name at its end'],
    [['-u', 'http://127.0.0.1:1/a%2F..%2Fb'], '--output is needed: "a/../b" at the end of the URL is no file name'],
    [['-u', 'http://127.0.0.1:1/x', '--header', 'nonsense'], `--header: "nonsense" is no header; write 'Name: value'`],
    [
      ['-u', 'http://127.0.0.1:1/x', '--header', 'Authorization Basic c2VjcmV0'],
      `dfget: --header: "Authorization…" is no header; write 'Name: value'\n`,
    ],
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
    await writeFile(join(origin.folder, 'out'), '');
    const { code, err } = await run(
      '-u',
      origin.url,
      '-o',
      join(origin.folder, 'out/x'),
      '--home',
      join(origin.folder, 'home'),
    );
    expect([code, err]).toEqual([
      1,
      `dfget: --output ${join(origin.folder, 'out/x')} cannot be written: what should be a folder there is a file; name another file\n`,
    ]);
  });

  it.each([
    [['--home', '/proc/x', '-o', 'FOLDER/out'], '/proc/x'],
    [['--home', 'FOLDER/home', '-o', '/sys/x/y'], '/sys/x/y'],
  ])('ends where no folder can be made: %j', async (argv, path) => {
    const { code, err } = await run('-u', origin.url, ...argv.map((word) => word.replace('FOLDER', origin.folder)));
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^dfget: --output .*${path}.* cannot be written: `)),
    ]);
  });

  it('leaves no folder behind when its port is taken', async () => {
    const { port } = new URL(origin.url);
    const { code, err } = await run(
      '-u',
      origin.url,
      '-o',
      join(origin.folder, 'out'),
      '--port',
      port,
      '--ip',
      '127.0.0.1',
    );
    expect([code, err]).toEqual([
      1,
      expect.stringContaining('the port is in use; stop what uses it or choose another with --port'),
    ]);
    expect(await readdir(origin.folder)).toEqual([]);
  });

  it('says at once when the output has no room for what --home on another disk would take', async () => {
    const home = await mkdtemp('/dev/shm/dfget-');
    const { statfs } = promises;
    const asking = jest.spyOn(promises, 'statfs').mockImplementation((async (path: string) => {
      const facts = await statfs(path);
      return path === origin.folder ? Object.assign(facts, { bsize: 4096, bavail: 256 }) : facts;
    }) as typeof statfs);
    const put = jest.spyOn(SwarmNode.prototype, 'giveName');
    try {
      const { code, out, err } = await run('-u', origin.url, '-o', join(origin.folder, 'out'), '--home', home);
      expect([code, err]).toEqual([
        80,
        expect.stringMatching(
          `^dfget: the file of 2.9 MiB does not fit: 1 MiB are free in ${origin.folder}, where it is copied from --home; make room, or choose another --output\n`,
        ),
      ]);
      expect(out).toMatch(/^download FAIL\(1104\) .* reason:1004\n$/);
      expect(put).not.toHaveBeenCalled();
    } finally {
      asking.mockRestore();
      put.mockRestore();
      await rm(home, { recursive: true });
    }
    expect(await readdir(origin.folder)).toEqual([]);
  });

  it('refuses a folder as output', async () => {
    await mkdir(join(origin.folder, 'out'));
    const { code, err } = await get();
    expect([code, err]).toEqual([1, `dfget: --output ${join(origin.folder, 'out')} is a folder; name a file\n`]);
  });
});
