import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import type { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { BLOCK_HASH_HEADER, BlockSet, Grid, lineOf } from '@cdk8s-dragonfly/protocol';

import { Swarm, readAll } from './swarm';

const MIB = 1024 * 1024;

describe('the only supernode is lost in the middle', () => {
  let swarm: Swarm;
  afterEach(() => swarm.stop());

  it('and 3 nodes share what they fetch of the rest', async () => {
    swarm = await Swarm.start();
    swarm.origin.rate = 12 * MIB;
    const content = randomBytes(12 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const nodes = await Promise.all([1, 2, 3].map(() => swarm.addNode()));
    let died: Promise<void> | undefined;
    const copies = await Promise.all(
      nodes.map((node) =>
        readAll(node, { blob, url }, { from: 0 }, (sum) => {
          if (sum > content.length / 4) died ??= swarm.stopSupernode();
        }),
      ),
    );
    await died;
    for (const copy of copies) expect(content.equals(copy)).toBe(true);
    expect(nodes.reduce((sum, { traffic }) => sum + traffic.peer, 0)).toBeGreaterThan(content.length);
    // Each for itself would fetch all that the supernode had not brought.
    expect(swarm.origin.bytesSent).toBeLessThan(2 * content.length);
  });

  it('and a neighbour gives wrong blocks: none of them leaves a node, and the right ones come from the origin', async () => {
    swarm = await Swarm.start();
    swarm.origin.rate = 6 * MIB;
    const content = randomBytes(6 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const wrong = randomBytes(MIB);
    const grid = new Grid(4 * MIB);
    const count = grid.blockCount(content.length);
    const says = (): string[] => {
      const all = BlockSet.of(Array.from({ length: count }, (_, index) => index)).toBase64();
      return [lineOf({ type: 'have', blocks: '', unattested: all })];
    };
    const answer = (index: number, _request: unknown, response: ServerResponse): void => {
      const bytes = wrong.subarray(0, grid.blockLength(index, content.length));
      const hash = createHash('sha256').update(bytes).digest('hex');
      response.writeHead(200, { [BLOCK_HASH_HEADER]: hash, 'content-length': bytes.length }).end(bytes);
    };
    const liar = await swarm.addFalsePeer({ blob, url, blocks: count }, answer, says);
    const node = await swarm.addNode();
    let died: Promise<void> | undefined;
    let at = 0;
    const copy = await readAll(node, { blob, url }, { from: 0 }, (sum) => {
      died ??= swarm.stopSupernode();
      at = sum;
    });
    await died;
    expect(liar.asked.length).toBeGreaterThan(0);
    expect(at).toBe(content.length);
    expect(content.equals(copy)).toBe(true);
  });

  it.each([
    ['right, and a neighbour is wrong: the pull ends well', false],
    ['wrong: it fails before its end', true],
  ])('and a reader that waits has its next bytes from the origin, which are %s', async (_what, isOriginWrong) => {
    swarm = await Swarm.start();
    const content = randomBytes(3 * MIB);
    const { blob, url } = swarm.origin.add(content);
    const wrong = randomBytes(262_144);
    const hash = createHash('sha256').update(wrong).digest('hex');
    // The first that the supernode does not have.
    const index = 4;
    const sip = 64 * 1024;
    const ofSip = `bytes=${index * wrong.length}-${index * wrong.length + sip - 1}`;
    const says = (): string[] => [
      lineOf({
        type: 'have',
        blocks: '',
        unattested: BlockSet.of([index]).toBase64(),
        pieceSize: 4 * MIB,
        size: 3 * MIB,
      }),
    ];
    const answer = (_index: number, _request: unknown, response: ServerResponse): void => {
      response.writeHead(200, { [BLOCK_HASH_HEADER]: hash, 'content-length': wrong.length }).end(wrong);
    };
    // The end waits until the reader has these bytes.
    let sipped = false;
    let died: Promise<void> | undefined;
    const held: (() => void)[] = [];
    swarm.origin.rate = 8 * MIB;
    // The supernode has no more than this when it dies.
    swarm.origin.stallAt = MIB;
    swarm.origin.fault = (request, response) => {
      if (died === undefined) return request.headers.range !== undefined;
      const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
      const end = last === '' ? content.length : Number(last) + 1;
      const head = {
        'content-length': end - Number(first),
        'content-range': `bytes ${first}-${end - 1}/${content.length}`,
      };
      if (request.headers.range === ofSip) {
        response.once('close', () => {
          sipped = true;
          for (const release of held.splice(0)) release();
        });
        if (isOriginWrong) response.writeHead(206, head).end(wrong.subarray(0, sip));
        return isOriginWrong;
      }
      if (sipped || end < content.length) return false;
      response.writeHead(206, head);
      // A byte now and then, or it would count as stalled.
      let at = end - 100;
      response.write(content.subarray(Number(first), at));
      const trickle = setInterval(() => response.write(content.subarray(at, (at += 1))), 100);
      held.push(() => {
        clearInterval(trickle);
        response.end(content.subarray(at));
      });
      return true;
    };
    const liar = await swarm.addFalsePeer({ blob, url, blocks: 12 }, answer, says);
    const node = await swarm.addNode();
    let had = 0;
    const reading = readAll(node, { blob, url }, { from: 0 }, (sum) => {
      had = sum;
      died ??= swarm.stopSupernode();
    });
    const outcome = await reading.then(
      (copy) => (content.equals(copy) ? 'right' : 'wrong'),
      (error: unknown) => (error as BlobUnavailable).reason,
    );
    expect(outcome).toBe(isOriginWrong ? 'digest-mismatch' : 'right');
    expect(had < content.length).toBe(isOriginWrong);
    await died;
    expect(liar.asked).toEqual([index]);
    expect(sipped).toBe(true);
  });
});
