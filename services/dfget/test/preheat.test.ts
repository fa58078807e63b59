import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runPreheat } from './support/run-dfget';

const ID = 'a'.repeat(64);
const WHOLE = { ID, startTime: '2026-01-01 00:00:00', type: 'image', url: 'https://r/v2/a/manifests/1' };
const FINISHED = { ...WHOLE, finishTime: '2026-01-01 00:00:01' };

/** What the supernode answers, in this order; the last one again and again. */
type Answer = readonly [status: number, document: unknown];

describe('dfget preheat', () => {
  let supernode: Server;
  let node: string;
  let folder: string;
  let answers: Answer[];
  let asked: { readonly line: string; readonly body: string }[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dfget-preheat-'));
    asked = [];
    answers = [];
    supernode = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
    await once(supernode, 'listening');
    node = `127.0.0.1:${(supernode.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    supernode.closeAllConnections();
    await new Promise((resolve) => supernode.close(resolve));
    await rm(folder, { recursive: true });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    asked.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, body });
    const [status, document] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [404, 'nothing'];
    response.writeHead(status).end(typeof document === 'string' ? document : JSON.stringify(document));
  }

  async function run(...argv: string[]): Promise<{ code: number; out: string[]; err: string }> {
    const { out, ...rest } = await runPreheat(argv);
    return { ...rest, out: out.trimEnd().split('\n') };
  }

  it('orders the image with all that was given, shows the progress, and ends with 0', async () => {
    const blob = { digest: 'sha256:1', size: 2_000_000, bytes: 1_000_000, state: 'RUNNING' };
    const other = { digest: 'sha256:2', size: 500, bytes: 0, state: 'SKIPPED' };
    answers = [
      [200, { ID }],
      [200, { ...WHOLE, status: 'WAITING', blobs: [] }],
      [200, { ...WHOLE, status: 'RUNNING', blobs: [] }],
      [200, { ...WHOLE, status: 'RUNNING', blobs: [blob, other] }],
      [200, { ...FINISHED, status: 'SUCCESS', blobs: [{ ...blob, bytes: 2_000_000, state: 'SUCCESS' }, other] }],
    ];
    await writeFile(join(folder, 'password'), 'secret\n');
    const image = 'docker.io/library/nginx:1.25';
    const access = ['--username', 'me', '--password-file', join(folder, 'password')];
    const header = ['--header', 'X-One: a:b', '--header', 'X-One: c'];
    const { code, out, err } = await run(
      image,
      '-n',
      node,
      '--platform',
      'linux/amd64,linux/arm64',
      ...header,
      ...access,
    );
    expect([code, err]).toEqual([0, '']);
    expect(out.slice(0, -1)).toEqual([
      `preheat ${ID} ordered at ${node}`,
      'waiting for other preheats',
      'reading the manifests',
      '0 of 1 blobs, 977 KiB of 1.9 MiB',
      '1 of 1 blobs, 1.9 MiB of 1.9 MiB',
    ]);
    expect(out.at(-1)).toMatch(/^preheat SUCCESS blobs:2 failed:0 bytes:2000000 cost:\d+\.\d{3}s$/);
    expect(asked[0]?.line).toBe('POST /preheats');
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      type: 'image',
      url: image,
      platforms: ['linux/amd64', 'linux/arm64'],
      headers: { 'X-One': 'a:b, c' },
      username: 'me',
      password: 'secret',
    });
    expect(asked.slice(1).every(({ line }) => line === `GET /preheats/${ID}`)).toBe(true);
  });

  it('ends with 1 and a line for each blob that could not be fetched', async () => {
    const failed = {
      digest: 'sha256:1',
      size: 5,
      bytes: 0,
      state: 'FAILED',
      platforms: ['linux/amd64'],
      errMsg: 'Origin x answered with status 404.',
    };
    const blobs = [failed, { digest: 'sha256:2', size: 5, bytes: 5, state: 'SUCCESS' }];
    answers = [
      [200, { ID }],
      [200, { ...FINISHED, status: 'FAILED', errMsg: '1 of 2 blobs could not be fetched', blobs }],
    ];
    const { code, out, err } = await run('nginx', '-n', node);
    expect(code).toBe(1);
    expect(err).toBe('dfget preheat: sha256:1 (linux/amd64): Origin x answered with status 404.\n');
    expect(out.at(-1)).toMatch(/^preheat FAIL blobs:2 failed:1 bytes:5 cost:/);
    expect(out.at(-2)).toBe('1 of 2 blobs, 1 failed, 5 B of 10 B');
  });

  it('tells why nothing was begun', async () => {
    answers = [
      [200, { ID }],
      [200, { ...FINISHED, status: 'FAILED', errMsg: 'the manifest x cannot be read: y', blobs: [] }],
    ];
    const { code, err } = await run('nginx', '-n', node);
    expect([code, err]).toEqual([1, 'dfget preheat: the manifest x cannot be read: y\n']);
  });

  it('does anew what was done before', async () => {
    answers = [
      [409, { code: 409, message: 'finished', ID }],
      [200, true],
      [200, { ID }],
    ];
    const { code, out } = await run('nginx', '-n', node, '--no-wait');
    expect([code, out]).toEqual([0, [`preheat ${ID} ordered at ${node}`]]);
    expect(asked.map(({ line }) => line)).toEqual(['POST /preheats', `DELETE /preheats/${ID}`, 'POST /preheats']);
  });

  it('asks the next supernode when the first does not answer', async () => {
    answers = [[200, { ID }]];
    const { code, out } = await run('nginx', '-n', `127.0.0.1:2,${node}`, '--wait=false');
    expect([code, out]).toEqual([0, [`preheat ${ID} ordered at ${node}`]]);
    const none = await run('nginx', '-n', '127.0.0.1:2');
    expect(none.code).toBe(1);
    expect(none.err).toBe(
      'dfget preheat: the supernode 127.0.0.1:2 does not answer: the connection was refused: nothing listens there (ECONNREFUSED)\n',
    );
  });

  it('gives up after --timeout, and when the supernode has forgotten the preheat', async () => {
    answers = [
      [200, { ID }],
      [200, { ...WHOLE, status: 'RUNNING', blobs: [] }],
    ];
    const late = await run('nginx', '-n', node, '--timeout', '1s');
    expect([late.code, late.err]).toEqual([
      1,
      `dfget preheat: the preheat is not over after 1 s (--timeout); the supernode ${node} goes on with it\n`,
    ]);
    answers = [
      [200, { ID }],
      [404, { code: 404, message: 'unknown' }],
    ];
    const gone = await run('nginx', '-n', node);
    expect([gone.code, gone.err]).toEqual([
      1,
      `dfget preheat: the supernode ${node} does not know the preheat any more: it was deleted, or the supernode restarted; order it anew\n`,
    ]);
  });

  it('passes the refusal of a supernode on, and knows an original one', async () => {
    answers = [[400, { code: 400, message: 'url has to be something else' }]];
    const refused = await run('UPPER', '-n', node);
    expect([refused.code, refused.err]).toEqual([
      1,
      `dfget preheat: the supernode ${node} refuses: url has to be something else\n`,
    ]);
    answers = [[404, '404 page not found']];
    const original = await run('nginx', '-n', node);
    expect([original.code, original.err]).toEqual([
      1,
      `dfget preheat: the supernode ${node} does not know preheats (status 404); is it a supernode of this project?\n`,
    ]);
  });

  it.each([
    [[], 'the image is missing: say dfget preheat IMAGE'],
    [[''], 'the image is missing: say dfget preheat IMAGE'],
    [['a', 'b'], 'unexpected argument "b" after "a"; dfget preheat takes one image'],
    [['a'], 'no supernode is known: give --node HOST[:PORT]'],
    [['a', '--username', 'x'], '--username and --password-file have to be given together'],
    [['a', '--username', 'x', '--password-file', '/nowhere'], '--password-file /nowhere cannot be read (ENOENT)'],
    [
      ['a', '--username', 'x', '--password-file', '/dev/null'],
      '--password-file /dev/null is empty; write the password into it',
    ],
    [['a', '--header', 'nonsense'], `--header: "nonsense" is no header; write 'Name: value'`],
    [['a', '--platfrom', 'x'], 'unknown flag "--platfrom"; did you mean --platform?'],
  ])('ends with exit code 1 and one line for %j', async (argv, message) => {
    const { code, err } = await run(...argv);
    expect([code, err]).toEqual([1, `dfget preheat: ${message}\n`]);
  });

  it('has a help of its own', async () => {
    const { code, out } = await run('--help');
    expect([code, out[0]]).toEqual([0, 'Usage: dfget preheat IMAGE [flags]']);
  });
});
