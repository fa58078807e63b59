import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { runDfget } from '../../services/dfget/test/support/run-dfget';
import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('dfget in a swarm', () => {
  let swarm: Swarm;
  let folder: string;
  beforeEach(async () => {
    swarm = await Swarm.start();
    folder = join(swarm.home, 'out');
    await mkdir(folder);
  });
  afterEach(() => swarm.stop());

  async function dfget(url: URL, interrupted: Promise<void>, ...more: string[]): Promise<[number, string]> {
    const node = `127.0.0.1:${swarm.supernodePort}`;
    const argv = ['-u', url.href, '-o', join(folder, 'file'), '-n', node, '--ip', '127.0.0.1', ...more];
    const { code, out, err } = await runDfget(argv, { interrupted });
    return [code, out + err];
  }
  const never = new Promise<void>(() => undefined);

  /** Resolves when so many blocks of a download are on disk. */
  async function blocksOnDisk(blocks: number): Promise<void> {
    for (;;) {
      const files = await readdir(folder, { recursive: true });
      const table = files.find((name) => name.endsWith('.blocks'));
      // A head of 256 bytes and 104 for each block.
      if (table !== undefined && (await stat(join(folder, table))).size >= 256 + 104 * blocks) return;
      await delay(5);
    }
  }

  /** Interrupts a download when so many blocks are on disk. */
  async function interruptAt(blocks: number, url: URL): Promise<number> {
    const [code] = await dfget(url, blocksOnDisk(blocks));
    return code;
  }

  it('shares a URL without a digest with whoever leaves out the same parameters', async () => {
    const content = randomBytes(2 * MIB);
    swarm.origin.addAt('/file?v=1&sign=one', content);
    const two = swarm.origin.addAt('/file?v=1&sign=two', content);
    const one = new URL('/file?v=1&sign=one', two);
    expect((await dfget(one, never, '--filter', 'sign'))[0]).toBe(0);
    const [code, text] = await dfget(two, never, '--filter', 'sign');
    expect([code, text]).toEqual([0, expect.stringContaining('(0 B from peers, 2 MiB from the supernode, 0 B from')]);
    expect(swarm.origin.requests.map(({ path }) => path)).toEqual(['/file?v=1&sign=one']);
    expect(content.equals(await readFile(join(folder, 'file')))).toBe(true);
  });

  it('goes on without a digest, since the supernode knows that of the whole', async () => {
    const content = randomBytes(6 * MIB);
    const url = swarm.origin.addAt('/file', content);
    swarm.origin.rate = 8 * MIB;
    expect(await interruptAt(4, url)).toBe(130);
    const [code, text] = await dfget(url, never);
    expect([code, text]).toEqual([0, expect.stringMatching(/ from an earlier run\)/)]);
    expect(content.equals(await readFile(join(folder, 'file')))).toBe(true);
    expect(swarm.origin.bytesSent).toBe(content.length);
  });

  it('throws away what is of other content than the supernode has by now', async () => {
    const [before, after] = [randomBytes(6 * MIB), randomBytes(6 * MIB)];
    const url = swarm.origin.addAt('/file', before);
    swarm.origin.rate = 8 * MIB;
    expect(await interruptAt(4, url)).toBe(130);
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    await rm(join(swarm.home, 'supernode-0'), { recursive: true });
    swarm.origin.addAt('/file', after);
    swarm.origin.rate = undefined;
    await swarm.startSupernode({ index: 0, port, peers: [], signingKey: join(swarm.home, 'signing-key.pem') });
    const [code, text] = await dfget(url, never);
    expect([code, text]).toEqual([0, expect.not.stringContaining('earlier run')]);
    expect(after.equals(await readFile(join(folder, 'file')))).toBe(true);
  });

  it('begins anew when the file is replaced while it comes, and mixes nothing', async () => {
    const [before, after] = [randomBytes(6 * MIB), randomBytes(6 * MIB)];
    const url = swarm.origin.addAt('/file', before);
    swarm.origin.rate = 4 * MIB;
    const downloading = dfget(url, never);
    await blocksOnDisk(4);
    const port = swarm.supernodePort;
    await swarm.stopSupernode();
    swarm.origin.addAt('/file', after);
    swarm.origin.rate = undefined;
    await swarm.startSupernode({ index: 0, port, peers: [], signingKey: join(swarm.home, 'signing-key.pem') });
    const [code, text] = await downloading;
    expect(code).toBe(0);
    const file = await readFile(join(folder, 'file'));
    // What dfget may have asked the origin for in the moment between, that gives to its end as it was.
    const wasAsked = !text.includes('0 B from the origin');
    expect(after.equals(file) || (wasAsked && before.equals(file))).toBe(true);
  });

  it('takes nothing from peers with --pattern cdn', async () => {
    const content = swarm.origin.add(randomBytes(4 * MIB));
    await readAll(await swarm.addNode(), content);
    const [code, text] = await dfget(content.url, never, '--pattern', 'cdn');
    expect([code, text]).toEqual([0, expect.stringContaining('(0 B from peers, 4 MiB from the supernode, 0 B from')]);
  });

  it('is no neighbour of others with --pattern cdn: none asks it, and none waits for blocks of its share', async () => {
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    swarm.origin.rate = 6 * MIB;
    const node = await swarm.addNode();
    const [[code], copy] = await Promise.all([dfget(url, never, '--pattern', 'cdn'), readAll(node, { blob, url })]);
    expect(code).toBe(0);
    expect(content.equals(copy)).toBe(true);
    expect(node.traffic).toMatchObject({ peer: 0, supernode: content.length });
    expect(swarm.lines.filter((line) => line.includes('"a peer was dropped"'))).toEqual([]);
  });
});
