import { METRICS, Metrics, OpsServer } from '../../src/index';
import { ask } from '../support/client';

describe('the health endpoint', () => {
  const ready = new Map([
    ['the mirror', false],
    ['the server for neighbours', false],
  ]);
  const traffic = { local: 1, peer: 22, supernode: 333, origin: 4444 };
  let metrics: Metrics | undefined;
  const ops = new OpsServer(
    () => ready,
    () => metrics,
  );
  let port = 0;

  beforeAll(async () => {
    port = (await ops.start({ host: '127.0.0.1', port: 0 })).port;
  });
  afterAll(async () => ops.stop());

  test('is live at once, and ready when every part is', async () => {
    expect((await ask(port, '/livez')).status).toBe(200);
    const none = await ask(port, '/readyz');
    expect([none.status, none.body.toString()]).toEqual([
      503,
      'the mirror is not ready\nthe server for neighbours is not ready\n',
    ]);
    ready.set('the mirror', true);
    expect((await ask(port, '/readyz?verbose')).body.toString()).toBe('the server for neighbours is not ready\n');
    ready.set('the server for neighbours', true);
    expect((await ask(port, '/readyz')).status).toBe(200);
  });

  test('tells Prometheus where bytes came from, as it is now', async () => {
    expect((await ask(port, '/metrics')).status).toBe(503);
    metrics = new Metrics({ traffic, usage: { blobs: 2, bytes: 10, evicted: 1 } });
    const lines = async (): Promise<string[]> =>
      (await ask(port, '/metrics')).body
        .toString()
        .split('\n')
        .filter((line) => /^dragonfly_dfdaemon_(?:bytes|store)/.test(line));
    expect(await lines()).toEqual([
      'dragonfly_dfdaemon_bytes_total{source="local"} 1',
      'dragonfly_dfdaemon_bytes_total{source="peer"} 22',
      'dragonfly_dfdaemon_bytes_total{source="supernode"} 333',
      'dragonfly_dfdaemon_bytes_total{source="origin"} 4444',
      'dragonfly_dfdaemon_store_bytes 10',
      'dragonfly_dfdaemon_store_blobs 2',
      'dragonfly_dfdaemon_store_evicted 1',
    ]);
    const { body } = await ask(port, '/metrics');
    for (const [name, { type, help }] of Object.entries(METRICS)) {
      expect(body.toString()).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
    expect(body.toString().match(/^# HELP/gm)).toHaveLength(Object.keys(METRICS).length);
    traffic.peer = 23;
    expect((await lines())[1]).toBe('dragonfly_dfdaemon_bytes_total{source="peer"} 23');
  });

  test('serves nothing else', async () => {
    expect((await ask(port, '/')).status).toBe(404);
    expect((await ask(port, '/v2/')).status).toBe(404);
    expect((await ask(port, '/livez', { method: 'POST' })).status).toBe(405);
  });
});
