import { randomBytes } from 'node:crypto';

import { NATIVE_VERSION, SESSION_KEY_HEADER, formatRegistryRequest, provableCid } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

describe("a daemon's session", () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it('is nobody else’s to read, to end, or to speak for, whoever knows its name', async () => {
    swarm = await Swarm.start();
    const { blob, url } = swarm.origin.add(randomBytes(1000));
    await readAll(await swarm.addNode(), { blob, url });
    const registered = swarm.lines.map((line) => /"cid":"([^"]+~[0-9a-f]{32})"/.exec(line)?.[1]);
    const cid = registered.find((name) => name !== undefined) ?? '';
    expect(cid).not.toBe('');
    const base = `http://127.0.0.1:${swarm.supernodePort}`;
    const query = `cid=${encodeURIComponent(cid)}&ip=127.0.0.1&port=15001`;
    const headers: Record<string, string>[] = [{}, { [SESSION_KEY_HEADER]: 'a guess' }];
    for (const guess of headers) {
      const session = await fetch(`${base}/native/v3/session?${query}`, { headers: guess });
      expect(session.status).toBe(403);
      expect(await session.json()).toMatchObject({ code: 501 });
      const holdings = { method: 'POST', body: JSON.stringify({ blobs: [blob] }), headers: guess };
      expect((await fetch(`${base}/native/v3/holdings?${query}`, holdings)).status).toBe(403);
      const body = formatRegistryRequest({
        rawUrl: url.href,
        taskUrl: url.href,
        cid,
        ip: '127.0.0.1',
        port: 15_001,
        path: '/peer/file/x',
        headers: [],
        dfdaemon: true,
        native: { versions: [NATIVE_VERSION], blob },
      });
      const answer = await fetch(`${base}/peer/registry`, { method: 'POST', body, headers: guess });
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ code: 501 })]);
    }
    expect(swarm.lines.join('')).not.toContain('the session broke');
  });

  it('is open to who has the key of the name', async () => {
    swarm = await Swarm.start();
    const cid = provableCid('mine', 'my key');
    const leaving = new AbortController();
    const session = await fetch(
      `http://127.0.0.1:${swarm.supernodePort}/native/v3/session?cid=${cid}&ip=127.0.0.1&port=1`,
      {
        headers: { [SESSION_KEY_HEADER]: 'my key' },
        signal: leaving.signal,
      },
    );
    expect(session.status).toBe(200);
    leaving.abort();
  });
});
