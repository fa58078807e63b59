import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

/** What a daemon needs next comes from elsewhere within this time, in milliseconds, whatever becomes of the supernode. */
const BAR = 2000;

/** A clock that counts as the patience of daemons does: the time between two steps counts once, however late the second comes on a busy machine. */
class PatienceClock {
  now = 0;
  private readonly timer: NodeJS.Timeout;

  constructor() {
    const step = 500 / 16;
    this.timer = setInterval(() => (this.now += step), step);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

describe('a supernode that is lost in the middle of a pull', () => {
  let swarm: Swarm;
  beforeEach(async () => {
    swarm = await Swarm.start(0);
  });
  afterEach(() => swarm.stop());

  it.each([
    ['SIGKILL', 2],
    // It goes on once the next bytes have come, and brings the rest itself.
    ['SIGSTOP', 2],
  ] as const)('by %s: the next bytes come within 2 s, and at most %d copies from the origin', async (signal, most) => {
    const content = randomBytes(16 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const supernode = await swarm.addSupernodeProcess();
    const limits = { supernodeSilence: 1000 };
    const nodes = await Promise.all([1, 2, 3].map(() => swarm.addNode(undefined, [supernode.port], limits)));
    // Slow enough for the supernode to be in the middle of it when it is lost.
    swarm.origin.rate = 8 * MIB;
    const clock = new PatienceClock();
    let lostAt = 0;
    // What a supernode brings that is there again comes as fast as its origin gives it.
    let isBack = false;
    const longest = nodes.map(() => 0);
    const copies = await Promise.all(
      nodes.map(async (node, index) => {
        let last = clock.now;
        return readAll(node, { blob, url }, { from: 0 }, (sum) => {
          const { now } = clock;
          if (lostAt > 0 && !isBack) longest[index] = Math.max(longest[index] ?? 0, now - Math.max(last, lostAt));
          last = now;
          if (signal === 'SIGSTOP' && !isBack && longest.every((gap) => gap > 900)) {
            supernode.signal('SIGCONT');
            isBack = true;
          }
          if (sum < 4 * MIB || lostAt > 0) return;
          supernode.signal(signal);
          swarm.origin.rate = undefined;
          lostAt = now;
        });
      }),
    );
    clock.stop();
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(lostAt).toBeGreaterThan(0);
    expect(Math.max(...longest)).toBeLessThan(BAR);
    expect(swarm.origin.bytesSent).toBeLessThan(most * content.length);
  });

  it.each([
    ['a page of HTML', '<html>hello</html>', 200],
    ['an answer of another protocol', '{"ok":true}', 200],
    ['an error', '{"code":500}', 500],
    ['a success without what belongs to it', '{"code":200,"data":{"taskId":"x"}}', 200],
  ])('and answers %s: the first bytes come within 2 s', async (_what, body, status) => {
    const server = createServer((_request, response) => response.writeHead(status).end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const content = randomBytes(2 * MIB);
      const { blob, url } = swarm.origin.add(content);
      const node = await swarm.addNode(undefined, [(server.address() as AddressInfo).port]);
      const began = performance.now();
      let first = Infinity;
      const copy = await readAll(node, { blob, url }, { from: 0 }, () => {
        first = Math.min(first, performance.now() - began);
      });
      expect(content.equals(copy)).toBe(true);
      expect(first).toBeLessThan(BAR);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
