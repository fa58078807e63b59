import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { runCommand } from '@cdk8s-dragonfly/command';
import { DFGET } from '@cdk8s-dragonfly/contract';
import { downloadFile } from '@cdk8s-dragonfly/dfget';

const content = randomBytes(3_000_000);

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await runCommand(DFGET, downloadFile, {
    argv,
    env: {},
    stdout,
    stderr,
    readFile: () => {
      throw Object.assign(new Error('no file'), { code: 'ENOENT' });
    },
    onSignal: () => () => undefined,
    onUnhandled: () => () => undefined,
  });
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}

describe('dfget', () => {
  let folder: string;
  let origin: Server;
  let url: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfget-'));
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

  it('refuses a folder as output', async () => {
    await mkdir(join(folder, 'out'));
    const { code, err } = await get();
    expect([code, err]).toEqual([1, `dfget: --output ${join(folder, 'out')} is a folder; name a file\n`]);
  });
});
