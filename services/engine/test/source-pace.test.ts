import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, lineOf } from '@cdk8s-dragonfly/protocol';

import { Bell } from '../src/download/bell';
import { FlightBudget } from '../src/download/flight-budget';
import { Sources } from '../src/download/sources';
import type { DownloadTools } from '../src/download/tools';
import { NeighbourPatience } from '../src/links/neighbour-patience';

describe('how fast a neighbour gives', () => {
  it('is the time that its blocks take, the last ones more than others, and those that it is late with among them', async () => {
    const server = createServer((_request, response) => {
      response.write(lineOf({ type: 'have', blocks: BlockSet.of([0]).toBase64() }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const streams = { connect: 1000, answer: 5000 };
    const changed = new Bell();
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const tools = { cid: 'me', streams, budget: new FlightBudget(), patience: new NeighbourPatience(5000), log };
    const sources = new Sources(`sha256:${'ab'.repeat(32)}`, tools as unknown as DownloadTools, {
      end: () => 1,
      edition: () => undefined,
      changed: () => changed.ring(),
      added: () => undefined,
      gone: () => undefined,
    });
    try {
      const { port } = server.address() as AddressInfo;
      sources.setNeighbours([{ cid: 'other', ip: '127.0.0.1', port }]);
      while (sources.alivePeers === 0) await changed.next(AbortSignal.timeout(5000));
      const pace = (): (number | undefined)[] =>
        sources.toPick([], 0, 4, { unattested: false, ahead: [] }).map((source) => source.pace);
      expect(pace()).toEqual([0]);
      sources.gave('other', 100);
      expect(pace()).toEqual([100]);
      sources.gave('other', 200);
      expect(pace()).toEqual([120]);
      sources.tooSlow('other', 1120);
      expect(pace()).toEqual([320]);
    } finally {
      sources.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
