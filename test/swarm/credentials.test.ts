import { randomBytes } from 'node:crypto';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('credentials', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(() => swarm.stop());

  it('of one daemon that are refused do not spoil a blob for those whose are good', async () => {
    const content = randomBytes(4 * MIB);
    const { blob, url } = swarm.origin.add(content);
    let admitted: (() => void) | undefined;
    const asked = new Promise<void>((resolve) => (admitted = resolve));
    swarm.origin.fault = (request, response) => {
      if (request.headers.authorization === 'Bearer good') return false;
      admitted?.();
      setTimeout(() => response.writeHead(401).end(), 300);
      return true;
    };
    const [first, ...others] = await Promise.all(Array.from({ length: 4 }, () => swarm.addNode()));
    const refused = readAll(first!, { blob, url }).catch((error: unknown) => error);
    await asked;
    const results = await Promise.all(
      others.map((node) => readAll(node, { blob, url, headers: [['Authorization', 'Bearer good']] })),
    );
    for (const result of results) expect(content.equals(result)).toBe(true);
    await refused;
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('that are good are kept when somebody without any joins', async () => {
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.fault = (request, response) => {
      if (request.headers.authorization === 'Bearer good') return false;
      response.writeHead(401).end();
      return true;
    };
    // The rest has to be asked for anew.
    swarm.origin.stallAt = 2 * MIB;
    const node = await swarm.addNode('alone', []);
    let joined: Promise<Buffer> | undefined;
    const first = await readAll(node, { blob, url, headers: [['Authorization', 'Bearer good']] }, { from: 0 }, () => {
      joined ??= readAll(node, { blob, url });
    });
    expect(content.equals(first)).toBe(true);
    expect((await joined)?.equals(content)).toBe(true);
    expect(swarm.origin.requests.length).toBeGreaterThan(1);
  });
});
