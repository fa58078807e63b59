import { once } from 'node:events';
import { get } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';

import { OriginError } from '@cdk8s-dragonfly/origin';
import { NATIVE_VERSION, RESULT_CODE } from '@cdk8s-dragonfly/protocol';

import { HELD_BACK, Refusals } from '../src/tasks/refusals';
import type { TaskSource } from '../src/tasks/task';
import { status } from './classic/fixture';
import { Running } from './ops/running';

const [blob, another] = ['ab', 'cd'].map((digits) => `sha256:${digits.repeat(32)}`) as [string, string];

describe('what was refused', () => {
  const source = (url: string, token?: string): TaskSource => ({
    url: new URL(url),
    headers: token === undefined ? [] : [['Authorization', token]],
  });
  let now: number;
  let refusals: Refusals;
  beforeEach(() => {
    now = 0;
    refusals = new Refusals(() => now);
  });
  const refused = (code: number): OriginError => new OriginError('status', `it answered ${code}`, { status: code });
  const forbidden = new OriginError('forbidden', 'it may not be asked');

  it('is refused for 5 seconds to who has the same credentials for the same place', () => {
    refusals.add(source('http://a/x', 'one'), refused(403));
    const failure = { code: RESULT_CODE.urlNotReachable, status: 403, message: 'it answered 403' };
    expect(refusals.of(source('http://a/x', 'one'))).toEqual(failure);
    for (const other of [source('http://a/x', 'two'), source('http://a/x'), source('http://b/x', 'one')])
      expect(refusals.of(other)).toBeUndefined();
    now = HELD_BACK - 1;
    expect(refusals.of(source('http://a/x', 'one'))).toEqual(failure);
    now = HELD_BACK;
    expect(refusals.of(source('http://a/x', 'one'))).toBeUndefined();
  });

  it('because the supernode may not ask there is refused to all, and each is told of its own place', () => {
    refusals.add(source('http://a/x', 'one'), forbidden);
    refusals.add(source('http://b/x', 'one'), refused(404));
    expect(refusals.of(source('http://a/x', 'two'))).toEqual({
      code: RESULT_CODE.urlNotReachable,
      message: 'it may not be asked',
    });
    expect(refusals.of(source('http://b/x', 'one'))).toMatchObject({ status: 404 });
    expect(refusals.of(source('http://b/x', 'two'))).toBeUndefined();
  });

  it('is not what the origin may give a moment later, or was not asked for', () => {
    for (const error of [refused(503), new OriginError('unreachable', 'nobody is there'), new Error('other')])
      refusals.add(source('http://a/x'), error);
    expect(refusals.of(source('http://a/x'))).toBeUndefined();
  });

  it('is remembered of the last eight', () => {
    for (let at = 0; at < 9; at += 1) refusals.add(source('http://a/x', `${at}`), refused(401));
    expect([0, 1, 8].map((at) => refusals.of(source('http://a/x', `${at}`)) !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe('a herd for a blob that the supernode cannot have', () => {
  let running: Running;
  let session: ClientRequest | undefined;
  afterEach(async () => {
    session?.destroy();
    await running.stop();
  });

  const register = async (cid: string, wanted = blob): Promise<void> => {
    const body = JSON.stringify({
      ...{ rawUrl: running.url(`/v2/a/blobs/${wanted}`), cid, ip: '127.0.0.2', port: 15_001, path: '/peer/file/x' },
      ...{ headers: ['Authorization: one'], native: { versions: [NATIVE_VERSION], blob: wanted } },
    });
    expect((await running.json('/peer/registry', { method: 'POST', body })).body).toMatchObject({ code: 200 });
  };

  /** The states that a daemon is told of the blob, until it is told of another. */
  const statesTold = async (answer: IncomingMessage): Promise<string[]> => {
    let text = '';
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.includes(another)) break;
    }
    return [...text.matchAll(/"type":"task","blob":"sha256:ab[^}]*"state":"(\w+)"/g)].map(([, state]) => state ?? '');
  };

  it.each([
    ['may not ask for', 'forbidden', 0],
    ['was refused', 404, 1],
  ] as const)('%s has it tried once, and each is told once', async (_, why, requests) => {
    const rules = why === 'forbidden' ? { allowOrigin: [{ host: 'other.example', port: 443 }] } : {};
    running = await Running.start(status(404), rules);
    session = get(`http://127.0.0.1:${running.apiPort}/native/v3/session?cid=first&ip=127.0.0.2&port=15001`);
    const [answer] = (await once(session, 'response')) as [IncomingMessage];
    await register('first');
    for (let at = 0; at < 49; at += 1) await register(`daemon-${at}`);
    await register('first', another);
    expect(await statesTold(answer)).toEqual(['waiting', 'failed']);
    expect(running.logged('the origin did not give it').filter((line) => line['blob'] === blob)).toHaveLength(1);
    // Other credentials are worth another try, where the supernode may ask.
    const before = running.requests;
    const url = running.url(`/v2/a/blobs/${blob}`);
    for (const token of ['one', 'two'])
      await running.register('original', { rawUrl: url, taskUrl: url, headers: [`Authorization: ${token}`] });
    expect(running.requests - before).toBe(requests);
  });
});
