import { randomBytes } from 'node:crypto';

import { NATIVE_VERSION, formatRegistryRequest, taskIdOf } from '@cdk8s-dragonfly/protocol';

import { Swarm } from './swarm';

describe('the name of a file', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('cannot put other content under the name of a file', async () => {
    const good = swarm.origin.addAt('/good', randomBytes(1000));
    const evil = swarm.origin.addAt('/evil', randomBytes(1000));
    const register = async (rawUrl: string, taskUrl: string, blob: string): Promise<number> => {
      const body = formatRegistryRequest({
        rawUrl,
        taskUrl,
        cid: 'someone',
        ip: '127.0.0.1',
        port: 15001,
        path: '/peer/file/x',
        headers: [],
        dfdaemon: true,
        native: { versions: [NATIVE_VERSION], blob: blob as `task:${string}` },
      });
      const answer = await fetch(`http://127.0.0.1:${swarm.supernodePort}/peer/registry`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return ((await answer.json()) as { code: number }).code;
    };
    const name = `task:${taskIdOf({ taskUrl: good.href })}`;
    expect(await register(evil.href, evil.href, name)).not.toBe(200);
    expect(await register(evil.href, good.href, name)).not.toBe(200);
    expect(await register(good.href, good.href, name)).toBe(200);
  });
});
