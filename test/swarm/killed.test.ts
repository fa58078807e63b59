import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';

import { OriginalClient } from '../../services/supernode/test/classic/original-client';
import { PYTHON } from '../../services/supernode/test/classic/original-style';
import { freePort } from '../support/free-port';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('a supernode that is killed with -9 in the middle of transfers and started again', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start(0);
  });
  afterEach(() => swarm.stop());

  it('loses no download in flight, and no complete blob', async () => {
    const { origin } = swarm;
    const ports = { api: await freePort(), blocks: await freePort() };
    const supernode = await swarm.addSupernodeProcess(ports);
    const nodes = await Promise.all([1, 2].map(() => swarm.addNode(undefined, [ports.api])));
    const complete = randomBytes(3 * MIB);
    const known = origin.add(complete);
    await readAll(nodes[0]!, known);

    const content = randomBytes(16 * MIB);
    const { blob, url } = origin.add(content);
    const restarted = new EventEmitter();
    let state: 'up' | 'killed' | 'up again' = 'up';
    const killOnce = async (): Promise<void> => {
      if (state !== 'up') return;
      state = 'killed';
      await supernode.stop();
      await swarm.addSupernodeProcess(ports);
      state = 'up again';
      restarted.emit('up');
    };
    origin.rate = 8 * MIB;
    const original = new OriginalClient({
      style: PYTHON,
      api: ports.api,
      cid: '127.0.0.1-1-original',
      url: url.href,
      // It has one more chance with each supernode of its list, and would take it at once.
      mayAsk: async () => {
        if (state === 'killed') await once(restarted, 'up');
      },
    });
    const [copies, downloaded] = await Promise.all([
      Promise.all(
        nodes.map((node) =>
          readAll(node, { blob, url }, { from: 0 }, (sum) => {
            if (sum > 5 * MIB) killOnce().catch((error: unknown) => restarted.emit('error', error));
          }),
        ),
      ),
      original.download(),
    ]);
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(content.equals(downloaded.content)).toBe(true);
    expect(state).toBe('up again');
    // What the killed one had on disk, and what daemons hold, is not fetched again.
    expect(origin.bytesSent - complete.length).toBeLessThan(2 * content.length);

    const before = origin.bytesSent;
    const fresh = await swarm.addNode(undefined, [ports.api]);
    expect(complete.equals(await readAll(fresh, known))).toBe(true);
    expect(content.equals(await readAll(fresh, { blob, url }))).toBe(true);
    expect(origin.bytesSent).toBe(before);
    expect(fresh.traffic.origin).toBe(0);
  });
});
