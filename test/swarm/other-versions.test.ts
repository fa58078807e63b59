import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { NATIVE_VERSION } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;
const OTHER = NATIVE_VERSION - 1;

/** The way to a supernode on which what a daemon says is that of a daemon, or was sent to a supernode, of another version. */
class Translator {
  /** The targets of all requests. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param translate each of them has its length: bodies are not cut. */
  static async start(port: number, translate: (text: string) => string): Promise<Translator> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const translator = new Translator(server, (server.address() as AddressInfo).port);
    server.on('connection', (client) => {
      const supernode = connect(port, '127.0.0.1');
      client.on('data', (chunk: Buffer) => {
        const text = translate(chunk.toString('latin1'));
        for (const [, target = ''] of text.matchAll(/^(?:GET|POST) (\S+) HTTP/gm)) translator.asked.push(target);
        supernode.write(text, 'latin1');
      });
      supernode.pipe(client);
      for (const [one, other] of [
        [client, supernode],
        [supernode, client],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    return translator;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

describe('a daemon and a supernode of different versions', () => {
  let swarm: Swarm;
  let way: Translator;
  beforeEach(async () => {
    swarm = await Swarm.start();
  });
  afterEach(async () => {
    await swarm.stop();
    await way.stop();
  });

  const offer = (text: string): string => text.replace(`"versions":[${NATIVE_VERSION}]`, `"versions":[${OTHER}]`);

  it.each([
    // A supernode of before knows the paths of that version; ours knows those of a daemon of before only for its session.
    [
      'a daemon of before',
      (text: string) => offer(text).replaceAll(`/native/v${NATIVE_VERSION}/`, `/native/v${OTHER}/`),
    ],
    ['a supernode of before', (text: string) => offer(text).replaceAll(`/native/v${NATIVE_VERSION}/`, '/native/v0/')],
  ])('serve each other as original ones, at once: %s', async (_who, translate) => {
    way = await Translator.start(swarm.supernodePort, translate);
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const [native, other] = [await swarm.addNode(), await swarm.addNode(undefined, [way.port])];
    const copies = await Promise.all([readAll(native, { blob, url }), readAll(other, { blob, url })]);
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
    expect(other.traffic.origin).toBe(0);
    expect(swarm.lines.join('')).not.toContain('asking the origin');
    // One session is asked for, or none: who is refused does not try again and again.
    expect(way.asked.filter((target) => target.includes('/session')).length).toBeLessThanOrEqual(1);
  });

  it('go on when the supernode becomes one of before, and when it becomes one of ours again', async () => {
    const is = { ofBefore: false };
    way = await Translator.start(swarm.supernodePort, (text) =>
      is.ofBefore ? offer(text).replaceAll(`/native/v${NATIVE_VERSION}/`, '/native/v0/') : text,
    );
    const node = await swarm.addNode(undefined, [way.port]);
    const all = [];
    for (is.ofBefore of [true, false]) {
      await swarm.restartSupernode();
      const content = randomBytes(3 * MIB);
      const { blob, url } = swarm.origin.add(content);
      const before = way.asked.length;
      all.push(content.equals(await readAll(node, { blob, url })));
      const asked = way.asked.slice(before).map((target) => target.split('?')[0]);
      expect(asked.includes('/peer/task')).toBe(is.ofBefore);
    }
    expect(all).toEqual([true, true]);
    expect(node.traffic.origin).toBe(0);
  });
});
