import { createHash, generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NATIVE_VERSION, REPLICA_PATH, publicKeyText } from '@cdk8s-dragonfly/protocol';

import { freePort } from '../../../test/support/free-port';
import { closed, listening, whole } from './classic/fixture';
import { Running } from './ops/running';

describe('a registration just after the start of a replica', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'supernode-start-'));
  });
  afterEach(async () => rm(home, { recursive: true, force: true }));

  it('waits until the other has told what it has under way', async () => {
    const content = Buffer.from('content');
    const blob = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const signingKey = join(home, 'key.pem');
    await writeFile(signingKey, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const events = new EventEmitter();
    const other = await listening((request, response) => {
      expect(request.url).toBe(REPLICA_PATH);
      const identity = { id: '0'.repeat(32), key: publicKeyText(privateKey), ip: '127.0.0.1', port: 1 };
      events.emit('asked', () => response.end(JSON.stringify({ ...identity, underWay: [blob] })));
    });
    const asked = once(events, 'asked') as Promise<[() => void]>;
    const api = { host: '127.0.0.1', port: await freePort() };
    const starting = Running.start(whole(content), {
      api,
      signingKey,
      peers: [{ host: '127.0.0.1', port: other.port }],
    });
    try {
      const [tell] = await asked;
      const base = `http://127.0.0.1:${api.port}`;
      const answer = fetch(`${base}/peer/registry`, {
        method: 'POST',
        body: JSON.stringify({
          rawUrl: `http://127.0.0.1:2/v2/a/blobs/${blob}`,
          cid: 'daemon',
          ip: '127.0.0.1',
          port: 15_001,
          path: '/peer/file/x',
          native: { versions: [NATIVE_VERSION], blob },
        }),
      });
      // Were it not to wait, it would have been answered when others are that came after it.
      for (let pings = 0; pings < 3; pings += 1) expect((await fetch(`${base}/_ping`)).status).toBe(200);
      events.on('asked', (again: () => void) => again());
      tell();
      expect(await (await answer).json()).toMatchObject({ code: 200, native: { owner: { ip: '127.0.0.1', port: 1 } } });
    } finally {
      await (await starting).stop();
      await closed(other.server);
    }
  });
});
