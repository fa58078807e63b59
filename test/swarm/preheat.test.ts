import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { Digest } from '@cdk8s-dragonfly/protocol';
import { digestOf } from '@cdk8s-dragonfly/protocol';

import { runPreheat } from '../../services/dfget/test/support/run-dfget';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

interface Preheat {
  readonly status: string;
  readonly errMsg?: string;
  readonly blobs: readonly {
    readonly digest: string;
    readonly bytes: number;
    readonly state: string;
    readonly errMsg?: string;
  }[];
}

describe('preheat', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  /** An image of a configuration and some layers at the origin; the last part is its manifest's URL. */
  function image(sizes: readonly number[]): { blobs: { blob: Digest; url: URL; content: Buffer }[]; url: string } {
    const blobs = [Buffer.from('{"os":"linux"}'), ...sizes.map((size) => randomBytes(size))].map((content) => ({
      content,
      ...swarm.origin.add(content),
    }));
    const [config, ...layers] = blobs.map(({ content }) => ({ digest: digestOf(content), size: content.length }));
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
    return { blobs, url: swarm.origin.addAt('/v2/library/test/manifests/1', manifest).href };
  }

  async function preheat(url: string, port = swarm.supernodePort, more: object = {}): Promise<Preheat> {
    const base = `http://127.0.0.1:${port}/preheats`;
    const ordered = await fetch(base, { method: 'POST', body: JSON.stringify({ type: 'image', url, ...more }) });
    const { ID } = (await ordered.json()) as { ID: string };
    for (;;) {
      const document = (await (await fetch(`${base}/${ID}`)).json()) as Preheat;
      if (document.status === 'SUCCESS' || document.status === 'FAILED') return document;
      await delay(20);
    }
  }

  it('has all blobs at the supernode before the first daemon asks: no byte more from the origin', async () => {
    swarm = await Swarm.start();
    const { blobs, url } = image([5 * MIB, 3 * MIB, 1000]);
    expect((await preheat(url)).status).toBe('SUCCESS');
    const { bytesSent } = swarm.origin;
    const nodes = [await swarm.addNode(), await swarm.addNode()];
    for (const { content, ...request } of blobs) {
      const results = await Promise.all(nodes.map((node) => readAll(node, request)));
      for (const result of results) expect(content.equals(result)).toBe(true);
    }
    expect(swarm.origin.bytesSent).toBe(bytesSent);
    for (const { traffic } of nodes) expect(traffic.origin).toBe(0);
  });

  it('joins a fetch that is under way, and the other way round: one copy', async () => {
    swarm = await Swarm.start();
    const { blobs, url } = image([8 * MIB]);
    const node = await swarm.addNode();
    const [, layer] = blobs;
    if (layer === undefined) throw new Error('no layer');
    const [result, { status }] = await Promise.all([readAll(node, layer), preheat(url)]);
    expect(layer.content.equals(result)).toBe(true);
    expect(status).toBe('SUCCESS');
    expect(swarm.origin.requests.filter(({ path }) => path === layer.url.pathname)).toHaveLength(1);
  });

  it('fails when the first layers had to make room for the last', async () => {
    swarm = await Swarm.start(1, { diskQuota: 8 * MIB });
    const { url } = image([5 * MIB, 5 * MIB, 5 * MIB]);
    const { status, errMsg } = await preheat(url);
    expect(status).toBe('FAILED');
    expect(errMsg).toMatch(/of 4 blobs could not be fetched: sha256:[0-9a-f]{64}: unstorable: /);
  });

  it('is done by the replicas that own the blobs, whichever is asked, with one copy from the origin', async () => {
    swarm = await Swarm.start(3);
    const { blobs, url } = image(Array.from({ length: 9 }, (_, index) => 300_000 + index));
    const done = await preheat(url, swarm.supernodePorts[1]);
    expect(done).toMatchObject({ status: 'SUCCESS' });
    expect(done.blobs.map(({ bytes }) => bytes)).toEqual(blobs.map(({ content }) => content.length));
    expect(new Set(blobs.map(({ blob }) => swarm.ownerOf(blob))).size).toBeGreaterThan(1);
    const { bytesSent } = swarm.origin;
    for (const port of swarm.supernodePorts) {
      const node = await swarm.addNode(`node-at-${port}`, [port]);
      const read = async ({ content, ...request }: (typeof blobs)[number]): Promise<boolean> =>
        content.equals(await readAll(node, request));
      expect(await Promise.all(blobs.map(read))).toEqual(blobs.map(() => true));
      expect(node.traffic.origin).toBe(0);
    }
    expect(swarm.origin.bytesSent).toBe(bytesSent);
    for (const { url: at } of blobs) {
      expect(swarm.origin.requests.filter(({ path }) => path === at.pathname)).toHaveLength(1);
    }
  });

  it('names the layer that another replica could not fetch', async () => {
    swarm = await Swarm.start(2);
    const { blobs, url } = image(Array.from({ length: 20 }, () => 1000));
    swarm.origin.fault = (request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false;
      response.writeHead(403).end();
      return true;
    };
    const { status, errMsg = '', blobs: documents } = await preheat(url);
    expect(status).toBe('FAILED');
    expect(errMsg).toMatch(/^21 of 21 blobs could not be fetched: /);
    expect(documents.map(({ digest }) => digest)).toEqual(blobs.map(({ blob }) => blob));
    for (const one of documents) {
      expect(one).toMatchObject({ state: 'FAILED', status: 403 });
      expect(one.errMsg).toMatch(/answered with status 403\.$/);
    }
    expect(documents.some(({ errMsg: why = '' }) => /^replica 127\.0\.0\.1:\d+: /.test(why))).toBe(true);
    swarm.origin.fault = () => false;
    const again = await preheat(url, swarm.supernodePort, { identifier: 'again' });
    expect(again.status).toBe('SUCCESS');
  });

  it('goes on alone when the replica that owns a blob is lost', async () => {
    swarm = await Swarm.start(2);
    const { blobs, url } = image(Array.from({ length: 6 }, () => 1000));
    const [first = 0, second = 0] = swarm.supernodePorts;
    let stopping: Promise<void> | undefined;
    swarm.origin.fault = (request) => {
      // It goes when the blobs are about to be asked for.
      if (request.url?.includes('/manifests/') === true) stopping ??= swarm.stopSupernode(second);
      return false;
    };
    const done = await preheat(url, first);
    await stopping;
    expect(done.errMsg).toBeUndefined();
    expect(done.blobs).toHaveLength(blobs.length);
  });

  it('is ordered with dfget preheat, which fails for a missing layer and says which', async () => {
    swarm = await Swarm.start();
    const { blobs, url } = image([2 * MIB, 1000]);
    const missing = blobs[2]?.url.pathname;
    swarm.origin.fault = (request, response) => {
      if (request.url !== missing) return false;
      response.writeHead(404).end();
      return true;
    };
    const dfgetPreheat = (image: string): ReturnType<typeof runPreheat> =>
      runPreheat([image, '--node', `127.0.0.1:${swarm.supernodePort}`]);
    const reference = `127.0.0.1:${swarm.origin.port}/library/test:1`;
    const failed = await dfgetPreheat(reference);
    expect(failed.code).toBe(1);
    expect(failed.err).toBe(
      `dfget preheat: ${blobs[2]?.blob ?? ''}: Origin 127.0.0.1:${swarm.origin.port} answered with status 404.\n`,
    );
    expect(failed.out).toMatch(/\npreheat FAIL blobs:3 failed:1 bytes:2097166 cost:\d+\.\d{3}s\n$/);
    swarm.origin.fault = () => false;
    const done = await dfgetPreheat(url);
    expect([done.code, done.err]).toEqual([0, '']);
    expect(done.out).toMatch(/\n3 of 3 blobs, 2 MiB of 2 MiB\npreheat SUCCESS blobs:3 failed:0 bytes:2098166 cost:/);
    expect(swarm.origin.requests.filter(({ path }) => path === blobs[1]?.url.pathname)).toHaveLength(1);
  });
});
