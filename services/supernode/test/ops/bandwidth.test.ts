import { randomBytes } from 'node:crypto';

import { UsageError } from '@cdk8s-dragonfly/command';
import { watchedOrigin } from '@cdk8s-dragonfly/origin';
import type { OriginAnswer } from '@cdk8s-dragonfly/origin';

import { originRate } from '../../src/bandwidth/origin-rate';
import { status, whole } from '../classic/fixture';
import { OriginalClient } from '../classic/original-client';
import { GO } from '../classic/original-style';
import { HELD_BACK } from '../../src/tasks/refusals';
import { Running } from './running';

const MIB = 1024 * 1024;

describe('the rate of origins', () => {
  test.each([
    [undefined, 20 * MIB, undefined],
    [200 * MIB, 20 * MIB, 180 * MIB],
    [20 * MIB + 1, 20 * MIB, 1],
  ])('of %p less %d is %p', (maxBandwidth, systemBandwidth, rate) => {
    expect(originRate({ maxBandwidth, systemBandwidth })).toBe(rate);
  });

  test('must leave something', () => {
    const message =
      '--max-bandwidth (base.maxBandwidth) is 20 MiB a second and must be above --system-bandwidth (base.systemReservedBandwidth), 20: nothing is left for downloads from origins';
    expect(() => originRate({ maxBandwidth: 20 * MIB, systemBandwidth: 20 * MIB })).toThrow(new UsageError(message));
  });
});

test('bytes that an origin without ranges sends again count', async () => {
  const sizes: number[] = [];
  const answer = { status: 200, from: 100, body: bytes(10, 20), discard: () => undefined } as unknown as OriginAnswer;
  const origin = watchedOrigin({ open: () => Promise.resolve(answer) }, (length) => void sizes.push(length));
  const opened = await origin.open({ url: new URL('http://a.test/'), headers: [] }, new AbortController().signal);
  let read = 0;
  for await (const chunk of opened.body) read += chunk.length;
  expect([read, sizes]).toEqual([30, [110, 20]]);
});

async function* bytes(...lengths: number[]): AsyncGenerator<Buffer> {
  for (const length of lengths) yield Promise.resolve(Buffer.alloc(length));
}

test('a download keeps to the rate that was asked for, and has all its bytes', async () => {
  const content = randomBytes(3 * MIB);
  const running = await Running.start(whole(content), { originRate: 8 * MIB });
  try {
    const began = performance.now();
    const client = new OriginalClient({ style: GO, url: running.url(), cid: '127.0.0.2-1-1.0', api: running.apiPort });
    const download = await client.download();
    expect(download.content.equals(content)).toBe(true);
    expect(running.logged('fetched')[0]).toMatchObject({ fetched: 3 * MIB });
    expect(running.logged('fetched')[0]?.['ms']).toBeGreaterThan(365);
    expect(performance.now() - began).toBeGreaterThan(365);
  } finally {
    await running.stop();
  }
});

describe('an origin that did not give a file', () => {
  afterEach(() => jest.restoreAllMocks());

  test.each([
    [404, 60_000, HELD_BACK, 1],
    [404, 60_000, 60_000, 2],
    [404, 0, HELD_BACK - 1000, 1],
    [404, 0, HELD_BACK, 2],
    [401, 60_000, HELD_BACK - 1000, 1],
    [401, 60_000, HELD_BACK, 2],
  ])(
    'with %d is, within %d ms, for a client %d ms after another asked %d times',
    async (code, failAccessInterval, later, requests) => {
      const running = await Running.start(status(code), { failAccessInterval });
      try {
        expect((await running.register('client-1')).body).toMatchObject({ code: 607 });
        const now = performance.now.bind(performance);
        jest.spyOn(performance, 'now').mockImplementation(() => now() + later);
        expect((await running.register('client-2')).body).toMatchObject({ code: 607 });
        expect(running.requests).toBe(requests);
      } finally {
        await running.stop();
      }
    },
  );
});
