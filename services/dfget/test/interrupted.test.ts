import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

import { SwarmNode } from '@cdk8s-dragonfly/engine';

import { runDfget } from './support/run-dfget';
import type { Ran } from './support/run-dfget';
import { useOrigin } from './support/use-origin';

const content = randomBytes(3_000_000);

/** Resolves when it is so; what is on disk tells nobody of its changes. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

describe('a download that was interrupted', () => {
  const origin = useOrigin(content);
  afterEach(() => jest.restoreAllMocks());
  const run = (...argv: string[]): Promise<Ran> => runDfget(argv);

  /** An origin that gives the first bytes and then waits, until the second request for them. */
  function standsStill(
    bytes: number,
    etag = '"1"',
  ): { readonly asked: string[]; readonly conditions: unknown[]; readonly reached: Promise<void> } {
    const asked: string[] = [];
    const conditions: unknown[] = [];
    let reach = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    origin.answer = (request, response) => {
      asked.push(request.headers.range ?? 'all');
      conditions.push(request.headers['if-range']);
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const range = `bytes ${from}-${content.length - 1}/${content.length}`;
      const part = from > 0 ? { 'content-range': range } : {};
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from, etag, ...part });
      if (asked.length > 1) response.end(content.subarray(from));
      else response.write(content.subarray(0, bytes), reach);
    };
    return { asked, conditions, reached };
  }

  const md5 = createHash('md5').update(content).digest('hex');
  const sha256 = createHash('sha256').update(content).digest('hex');

  /** Runs until the first blocks are on disk and then hits Ctrl-C. */
  async function interrupt(...more: string[]): Promise<Ran> {
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), ...more];
    const isThere = async (): Promise<boolean> => {
      const [transit] = (await readdir(origin.folder)).filter((name) => name.endsWith('.dfget'));
      const files = transit === undefined ? [] : await readdir(join(origin.folder, transit), { recursive: true });
      const table = files.find((name) => name.endsWith('.blocks'));
      // A head of 256 bytes and 104 for each block.
      return table !== undefined && (await stat(join(origin.folder, transit ?? '', table))).size >= 256 + 4 * 104;
    };
    return runDfget(argv, { interrupted: eventually(isThere) });
  }

  it.each([
    ['--sha256', sha256],
    ['--md5', md5],
  ])('ends with 130 and what came, and goes on from there: %s', async (...digest) => {
    const { asked } = standsStill(1_200_000);
    const first = await interrupt(...digest);
    expect(first.code).toBe(130);
    expect(first.err).toMatch(/^dfget: 1 MiB are kept in .*\.dfget; the same command goes on from there\n$/);
    expect(await readdir(origin.folder)).toEqual([expect.stringMatching(/^\.out\.[0-9a-f]{12}\.dfget$/)]);
    const second = await run('-u', origin.url, '-o', join(origin.folder, 'out'), ...digest);
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toContain('1.9 MiB from the origin, 1 MiB from an earlier run)');
    expect(asked).toEqual(['all', 'bytes=1048576-']);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(await readdir(origin.folder)).toEqual(['out']);
  });

  it('keeps what came when the origin gives nothing at the next try', async () => {
    const { asked } = standsStill(1_200_000);
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256];
    await interrupt('--sha256', sha256);
    const { answer } = origin;
    origin.answer = (_request, response) => response.writeHead(403).end();
    const second = await run(...argv);
    expect(second.code).not.toBe(0);
    expect(second.err).toMatch(/\ndfget: 1 MiB are kept in .*\.dfget; the same command goes on from there\n$/);
    origin.answer = answer;
    expect((await run(...argv)).out).toContain('1.9 MiB from the origin, 1 MiB from an earlier run)');
    expect(asked).toEqual(['all', 'bytes=1048576-']);
  });

  it('keeps what came when the disk does not tell at the next try what is there', async () => {
    const { asked } = standsStill(1_200_000);
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256];
    await interrupt('--sha256', sha256);
    const fault = Object.assign(new Error('the disk is broken'), { code: 'EIO' });
    jest.spyOn(SwarmNode.prototype, 'heldBytes').mockRejectedValueOnce(fault);
    expect(await run(...argv)).toMatchObject({ code: 80, err: 'dfget: the disk is broken\n' });
    expect((await run(...argv)).out).toContain('1.9 MiB from the origin, 1 MiB from an earlier run)');
    expect(asked).toEqual(['all', 'bytes=1048576-']);
  });

  it('is put in place all the same when Ctrl-C is hit in that moment, and leaves nothing behind', async () => {
    let hit = (): void => undefined;
    const interrupted = new Promise<void>((resolve) => (hit = resolve));
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
    const { giveName } = SwarmNode.prototype;
    jest.spyOn(SwarmNode.prototype, 'giveName').mockImplementationOnce(async function (this: SwarmNode, ...given) {
      hit();
      await nextTurn();
      await giveName.call(this, ...given);
    });
    const { code, out, err } = await runDfget(['-u', origin.url, '-o', join(origin.folder, 'out')], { interrupted });
    expect([code, out, err]).toEqual([0, expect.stringContaining('download SUCCESS(0)'), '']);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(await readdir(origin.folder)).toEqual(['out']);
  });

  it('leaves nothing of a copy behind in the middle of which it was killed', async () => {
    standsStill(1_200_000);
    await interrupt('--sha256', sha256);
    const [transit = ''] = await readdir(origin.folder);
    await writeFile(join(origin.folder, transit.replace(/dfget$/, 'new')), 'a part');
    expect((await run('-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256)).code).toBe(0);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(await readdir(origin.folder)).toEqual(['out']);
  });

  it('leaves nothing behind when Ctrl-C is hit before anything came', async () => {
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256];
    expect(await runDfget(argv, { interrupted: Promise.resolve() })).toEqual({ code: 130, out: '', err: '' });
    expect(await readdir(origin.folder)).toEqual([]);
  });

  it('is left alone by the same command that is given once more meanwhile', async () => {
    const { reached } = standsStill(1_200_000);
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256];
    let interruptFirst = (): void => undefined;
    const interrupted = new Promise<void>((resolve) => (interruptFirst = resolve));
    const first = runDfget(argv, { interrupted });
    await reached;
    const second = await run(...argv);
    expect(second).toMatchObject({ code: 1, err: expect.stringContaining('is in use by process') as string });
    expect(await readdir(origin.folder)).toEqual([expect.stringMatching(/\.dfget$/)]);
    interruptFirst();
    expect(await first).toMatchObject({ code: 130, err: expect.stringContaining('are kept in') as string });
  });

  it('is left alone by that before the origin has answered, too', async () => {
    let ask = (): void => undefined;
    const asked = new Promise<void>((resolve) => (ask = resolve));
    origin.answer = () => ask();
    const argv = ['-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256];
    let interruptFirst = (): void => undefined;
    const first = runDfget(argv, { interrupted: new Promise<void>((resolve) => (interruptFirst = resolve)) });
    await asked;
    expect(await run(...argv)).toMatchObject({ code: 1, err: expect.stringContaining('is in use') as string });
    const [transit = ''] = await readdir(origin.folder);
    expect(await readdir(join(origin.folder, transit))).toContain('blobs');
    interruptFirst();
    expect((await first).code).toBe(130);
    expect(await readdir(origin.folder)).toEqual([]);
  });

  it('fetches again what was damaged meanwhile', async () => {
    const { asked } = standsStill(1_200_000);
    await interrupt('--sha256', sha256);
    const [transit = ''] = await readdir(origin.folder);
    const files = await readdir(join(origin.folder, transit), { recursive: true });
    const part = await open(join(origin.folder, transit, files.find((name) => name.endsWith('.part')) ?? ''), 'r+');
    await part.write('damaged', 300_000);
    await part.close();
    expect(await run('-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', sha256)).toMatchObject({
      code: 0,
      err: '',
    });
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(asked.length).toBeGreaterThan(1);
  });

  it('goes on by the strong ETag of the origin where nobody can say what the whole must be', async () => {
    const { asked, conditions } = standsStill(1_200_000);
    expect((await interrupt()).err).toMatch(/^dfget: 1 MiB are kept in .*; the same command goes on from there\n$/);
    const second = await run('-u', origin.url, '-o', join(origin.folder, 'out'));
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).toContain('1.9 MiB from the origin, 1 MiB from an earlier run)');
    expect([asked, conditions]).toEqual([
      ['all', 'bytes=1048576-'],
      [undefined, '"1"'],
    ]);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
    expect(await readdir(origin.folder)).toEqual(['out']);
  });

  it.each([
    ['another, and heeds If-Range', '"2"', true],
    ['another, and does not heed If-Range', '"2"', false],
    ['none any more', undefined, false],
    ['a weak one', 'W/"1"', false],
  ])('begins anew when the ETag is %s', async (_, etag, heeds) => {
    standsStill(1_200_000);
    await interrupt();
    const other = randomBytes(content.length);
    const told: string[] = [];
    origin.answer = (request, response) => {
      const range = heeds && request.headers['if-range'] !== etag ? undefined : request.headers.range;
      told.push(request.headers.range ?? 'all');
      const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
      const part = from > 0 ? { 'content-range': `bytes ${from}-${other.length - 1}/${other.length}` } : {};
      const tag = etag === undefined ? {} : { etag };
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': other.length - from, ...tag, ...part });
      response.end(other.subarray(from));
    };
    const second = await run('-u', origin.url, '-o', join(origin.folder, 'out'));
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(second.out).not.toContain('earlier run');
    expect(told).toEqual(['bytes=1048576-', 'all']);
    expect(other.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
  });

  it('throws away what came where nobody can say what the whole must be, and the ETag is weak', async () => {
    const { asked } = standsStill(1_200_000, 'W/"1"');
    expect(await interrupt()).toMatchObject({
      code: 130,
      err: 'dfget: 1 MiB are thrown away, since nobody can tell whether they fit to what stands there next time, without a strong ETag of the origin; with --sha256 or --md5 the same command goes on\n',
    });
    expect(await readdir(origin.folder)).toEqual([]);
    expect((await run('-u', origin.url, '-o', join(origin.folder, 'out'))).code).toBe(0);
    expect(asked).toEqual(['all', 'all']);
    expect(content.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
  });

  it('begins anew when other content stands there meanwhile', async () => {
    const { asked } = standsStill(1_200_000);
    const other = randomBytes(2_000_000);
    const digest = createHash('sha256').update(other).digest('hex');
    expect((await interrupt('--sha256', digest)).code).toBe(130);
    const told: string[] = [];
    origin.answer = (request, response) => {
      told.push(request.headers.range ?? 'all');
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const part = from > 0 ? { 'content-range': `bytes ${from}-${other.length - 1}/${other.length}` } : {};
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': other.length - from, ...part });
      response.end(other.subarray(from));
    };
    expect(await run('-u', origin.url, '-o', join(origin.folder, 'out'), '--sha256', digest)).toMatchObject({
      code: 0,
      err: '',
    });
    expect([asked, told]).toEqual([['all'], ['bytes=1048576-', 'all']]);
    expect(other.equals(await readFile(join(origin.folder, 'out')))).toBe(true);
  });
});
