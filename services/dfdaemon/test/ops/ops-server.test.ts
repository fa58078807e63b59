import { OpsServer } from '../../src/index';
import { ask } from '../support/client';

describe('the health endpoint', () => {
  const ready = new Map([
    ['the mirror', false],
    ['the server for neighbours', false],
  ]);
  const ops = new OpsServer(() => ready);
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

  test('serves nothing else', async () => {
    expect((await ask(port, '/')).status).toBe(404);
    expect((await ask(port, '/v2/')).status).toBe(404);
    expect((await ask(port, '/livez', { method: 'POST' })).status).toBe(405);
  });
});
