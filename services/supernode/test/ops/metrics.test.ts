import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import { NATIVE_VERSION, digestOf } from '@cdk8s-dragonfly/protocol';

import { METRICS } from '../../src/metrics/table';
import { chunked, status, whole } from '../classic/fixture';
import { OriginalClient } from '../classic/original-client';
import { OriginalPeer } from '../classic/original-peer';
import { GO } from '../classic/original-style';
import { Running } from './running';

const MIB = 1024 * 1024;

describe('a supernode that was asked for a file', () => {
  const content = randomBytes(9 * MIB);
  const framed = content.length + 3 * 5;
  let running: Running;

  beforeAll(async () => {
    running = await Running.start(chunked(content), { diskQuota: 1024 * MIB });
    for (const number of [1, 2]) {
      const cid = `127.0.0.2-${number}-1.0`;
      await new OriginalClient({ style: GO, url: running.url(), cid, api: running.apiPort }).download();
    }
  });

  afterAll(async () => running.stop());

  test('tells each metric of the table, with its type and its words', async () => {
    const { text, headers } = await running.ask('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
  });

  test.each([
    ['dragonfly_supernode_origin_bytes_total', 9 * MIB],
    ['dragonfly_supernode_origin_copies', 1],
    ['dragonfly_supernode_served_bytes_total{to="original"}', 2 * framed],
    ['dragonfly_supernode_served_bytes_total{to="native"}', 0],
    ['dragonfly_supernode_pieces_downloaded_size_bytes_total', 2 * framed],
    ['dragonfly_supernode_tasks{cdnstatus="SUCCESS"}', 1],
    ['dragonfly_supernode_tasks{cdnstatus="RUNNING"}', 0],
    ['dragonfly_supernode_tasks_registered_total', 1],
    ['dragonfly_supernode_dfgettasks_registered_total{protocol="original"}', 2],
    ['dragonfly_supernode_cdn_trigger_total', 1],
    ['dragonfly_supernode_cdn_download_total', 1],
    ['dragonfly_supernode_cdn_download_failed_total', 0],
    ['dragonfly_supernode_store_quota_bytes', 1024 * MIB],
    ['dragonfly_supernode_sessions', 0],
    ['dragonfly_supernode_http_requests_total{code="200",handler="/peer/registry",method="POST"}', 2],
    ['dragonfly_supernode_http_request_duration_seconds_count{code="200",handler="/peer/registry",method="POST"}', 2],
  ])('%s is %d', async (series, value) => {
    expect(await running.metric(series)).toBe(value);
  });

  test.each([
    ['dragonfly_supernode_store_bytes', 9 * MIB],
    ['dragonfly_supernode_store_free_bytes', 1],
    ['process_resident_memory_bytes', MIB],
    ['process_cpu_seconds_total', 0.01],
  ])('%s is at least %d', async (series, least) => {
    expect(await running.metric(series)).toBeGreaterThanOrEqual(least);
  });

  test('tells the lag of the event loop', async () => {
    await running.metric('any');
    await delay(100);
    const end = performance.now() + 300;
    while (performance.now() < end);
    expect(await running.metric('dragonfly_supernode_event_loop_lag_seconds{quantile="1"}')).toBeGreaterThan(0.25);
    expect(await running.metric('dragonfly_supernode_event_loop_lag_seconds{quantile="1"}')).toBeLessThan(0.25);
  });

  test('has as many series whatever is asked', async () => {
    const series = async (): Promise<number> => (await running.ask('/metrics')).text.split('\n').length;
    await running.ask('/none/0');
    const before = await series();
    for (let count = 1; count < 20; count += 1) await running.ask(`/none/${count}`);
    expect(await series()).toBe(before);
  });
});

test('a daemon of ours is told apart, its session and its placement are counted', async () => {
  const content = randomBytes(MIB);
  const running = await Running.start(whole(content));
  try {
    const blob = digestOf(content);
    const rawUrl = running.url(`/v2/a/blobs/${blob}`);
    const session = await fetch(
      `http://127.0.0.1:${running.apiPort}/native/v3/session?cid=daemon&ip=127.0.0.1&port=15001`,
    );
    await running.register('daemon', { rawUrl, taskUrl: rawUrl, native: { versions: [NATIVE_VERSION], blob } });
    const lines = session.body?.pipeThrough(new TextDecoderStream());
    let heard = '';
    for await (const text of lines ?? []) {
      heard += text;
      if (heard.includes('"complete"')) break;
    }
    expect(await running.metric('dragonfly_supernode_dfgettasks_registered_total{protocol="native"}')).toBe(1);
    expect(await running.metric('dragonfly_supernode_schedule_duration_milliseconds_count')).toBe(1);
    const block = await fetch(`http://127.0.0.1:${running.piecePort}/native/v3/blobs/${blob}/blocks/0`);
    const { byteLength } = await block.arrayBuffer();
    expect(byteLength).toBe(256 * 1024);
    expect(await running.metric('dragonfly_supernode_served_bytes_total{to="native"}')).toBe(byteLength);
    expect(await running.metric(`dragonfly_supernode_task_origin_copies{blob="${blob}"}`)).toBe(1);
  } finally {
    await running.stop();
  }
});

test('an origin that fails is counted', async () => {
  const running = await Running.start(status(404));
  try {
    await running.register('client-1');
    expect(await running.metric('dragonfly_supernode_tasks{cdnstatus="FAILED"}')).toBe(1);
    expect(await running.metric('dragonfly_supernode_cdn_download_failed_total')).toBe(1);
    expect(await running.metric('dragonfly_supernode_dfgettasks_failed_total{protocol="original"}')).toBe(1);
    expect(await running.metric('dragonfly_supernode_origin_copies')).toBeUndefined();
  } finally {
    await running.stop();
  }
});

test('what original clients have from each other is counted, as they report it', async () => {
  const content = randomBytes(9 * MIB);
  const running = await Running.start(whole(content));
  const server = await OriginalPeer.start('go');
  try {
    const common = { style: GO, url: running.url(), api: running.apiPort };
    server.offer(content);
    await new OriginalClient({ ...common, cid: '127.0.0.2-1-1.0', port: server.port }).download();
    expect(await running.metric('dragonfly_supernode_peer_served_bytes_total')).toBe(0);
    await new OriginalClient({ ...common, cid: '127.0.0.2-2-1.0' }).download();
    expect(server.requests).toBe(3);
    expect(await running.metric('dragonfly_supernode_peer_served_bytes_total')).toBe(content.length + 3 * 5);
    expect(await running.metric('dragonfly_supernode_served_bytes_total{to="original"}')).toBe(content.length + 3 * 5);
  } finally {
    await running.stop();
    await server.stop();
  }
});
