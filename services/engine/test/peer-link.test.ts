import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, MAX_BLOCK, lineOf } from '@cdk8s-dragonfly/protocol';

import { NeighbourPatience } from '../src/links/neighbour-patience';
import { PeerLink } from '../src/links/peer-link';

/** The blob has blocks 0 to 4. */
const END = 5;

describe('what a neighbour says that it has', () => {
  let server: Server;
  let link: PeerLink;
  /** What it has told of, as that was passed on; undefined: all that it has. */
  let told: (readonly number[] | undefined)[];
  /** Says these lines at once, and waits until something of them was heard. */
  let say: (...documents: object[]) => Promise<void>;

  beforeEach(async () => {
    told = [];
    let woken: () => void = () => undefined;
    const hears = new Promise<ServerResponse>((resolve) => {
      server = createServer((_request, response) => resolve(response)).listen(0, '127.0.0.1');
    });
    await once(server, 'listening');
    const note = (blocks?: readonly number[]): void => {
      told.push(blocks);
      woken();
    };
    link = new PeerLink({
      peer: { cid: 'other', ip: '127.0.0.1', port: (server.address() as AddressInfo).port },
      blob: `sha256:${'ab'.repeat(32)}`,
      cid: 'me',
      timeouts: { connect: 5000, answer: 5000 },
      patience: new NeighbourPatience(60_000),
      end: () => END,
      changed: () => note(),
      added: note,
      ended: () => undefined,
    });
    say = async (...documents) => {
      const heard = new Promise<void>((resolve) => (woken = resolve));
      (await hears).write(documents.map(lineOf).join(''));
      await heard;
    };
  });
  afterEach(async () => {
    link.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const known = (): number[][] => [[...link.has], [...link.hasAtAll]];

  it('is believed up to the end of the blob, in all that it has', async () => {
    const blocks = BlockSet.of([1, END - 1, END, 2000]).toBase64();
    await say({ type: 'have', blocks, unattested: BlockSet.of([2, END, 3000]).toBase64() });
    expect(known()).toEqual([
      [1, END - 1],
      [1, 2, END - 1],
    ]);
  });

  it('is believed up to the end of the blob, in what it has got, and nothing else is passed on', async () => {
    await say({ type: 'have', blocks: BlockSet.of([]).toBase64() });
    await say({ type: 'added', blocks: [0, END, MAX_BLOCK], unattested: [3, END + 1] });
    expect([told, known()]).toEqual([
      [undefined, [0, 3]],
      [[0], [0, 3]],
    ]);
  });

  it('is no news when all of it is beyond the end', async () => {
    await say({ type: 'have', blocks: BlockSet.of([]).toBase64() });
    await say({ type: 'added', blocks: [END], unattested: [END + 1] }, { type: 'added', blocks: [1] });
    expect([told, known()]).toEqual([
      [undefined, [1]],
      [[1], [1]],
    ]);
  });
});
