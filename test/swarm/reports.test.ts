import { randomBytes } from 'node:crypto';

import { REPORTS_PATH } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('neighbours that fail', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('are reported to the supernode, which names them to nobody any more', async () => {
    const content = randomBytes(4 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const liar = await swarm.addFalsePeer({ blob, url, blocks: 16 }, (_index, _request, response) => {
      response.writeHead(200, { 'content-length': 4 }).end('lies');
    });
    const pull = async (): Promise<void> => {
      expect(content.equals(await readAll(await swarm.addNode(), { blob, url }))).toBe(true);
    };
    for (let count = 0; count < 5; count += 1) await pull();
    const before = liar.asked.length;
    expect(before).toBeGreaterThanOrEqual(3);
    for (let count = 0; count < 2; count += 1) await pull();
    expect(liar.asked.length).toBe(before);
  });

  it('are reported by who shows that the name is theirs, and in a form that is known', async () => {
    const node = await swarm.addNode();
    const { blob, url } = swarm.origin.add(randomBytes(1000));
    await readAll(node, { blob, url });
    const [, cid] = /"cid":"([^"]+)"/.exec(swarm.lines.join('')) ?? [];
    const report = async (name: string, body: object): Promise<number> => {
      const query = new URLSearchParams({ cid: name, ip: '127.0.0.1', port: '15001' });
      const response = await fetch(`http://127.0.0.1:${swarm.supernodePort}${REPORTS_PATH}?${query.toString()}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    };
    expect(await report(cid ?? '', { blob, peers: ['x'] })).toBe(403);
    expect(await report('someone', { blob, peers: [] })).toBe(400);
    expect(await report('someone', { blob, peers: ['x'] })).toBe(204);
  });
});
