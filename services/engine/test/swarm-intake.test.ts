import { generateKeyPairSync } from 'node:crypto';

import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';
import { Agent } from 'undici';

import { FlightBudget } from '../src/download/flight-budget';
import type { Intake } from '../src/download/intake';
import { SwarmIntake } from '../src/download/swarm-intake';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';
import { BlockClient } from '../src/links/block-client';
import { LinkFailure } from '../src/links/failure';
import { NeighbourPatience } from '../src/links/neighbour-patience';
import { SteadyClock } from '../src/links/steady-clock';
import { noTraffic } from '../src/node/traffic';

describe('what a supernode said', () => {
  const blob = `sha256:${'0'.repeat(64)}` as const;
  const { publicKey } = generateKeyPairSync('ed25519');

  it('before it was lost does not count when it is heard later', async () => {
    const ended = { is: false };
    const begun: { resolve?: (stored: StoredBlob) => void } = {};
    const intake = {
      request: { blob, url: new URL('http://127.0.0.1:9/'), headers: [] },
      stored: () => undefined,
      begin: () => new Promise<StoredBlob>((resolve) => (begun.resolve = resolve)),
      finished: () => ended.is,
      changed: () => undefined,
      fail: (error: unknown) => {
        throw error;
      },
    } as unknown as Intake;
    const dispatcher = new Agent();
    const clock = new SteadyClock();
    let joins = 0;
    const refused: { resolve?: () => void } = {};
    const triedAgain = new Promise<void>((resolve) => (refused.resolve = resolve));
    const supernodes = {
      join: () => {
        joins += 1;
        if (joins === 1) {
          const joined = { kind: 'joined', blocks: new URL('http://127.0.0.1:9'), key: publicKey };
          return Promise.resolve({ link: { leave: () => undefined }, joined });
        }
        setImmediate(() => refused.resolve?.());
        return Promise.reject(new LinkFailure('gone', 'nobody is there'));
      },
    };
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const tools = {
      cid: 'me',
      supernodes,
      blocks: new BlockClient({ connect: 1000, stall: 1000 }),
      streams: dispatcher,
      patience: new NeighbourPatience(2000),
      budget: new FlightBudget(),
      traffic: noTraffic(),
      timeouts: { swarmStall: 2000, busy: 8000 },
      clock,
      policy: DAEMON_POLICY,
      log,
    } as unknown as DownloadTools;
    const swarm = new SwarmIntake(
      intake,
      tools,
      () => undefined,
      () => undefined,
    );
    expect(await swarm.join()).toBe(true);
    swarm.event({ type: 'task', blob, state: 'fetching', pieceSize: 4 * 1024 * 1024 });
    swarm.event({ type: 'have', blob, blocks: BlockSet.of([0, 1]) });
    await new Promise(setImmediate);
    swarm.lost(new LinkFailure('gone', 'the session ended'));
    await triedAgain;
    expect(swarm.isLost).toBe(true);
    // The disk was slow.
    begun.resolve?.({} as unknown as StoredBlob);
    await new Promise(setImmediate);
    expect(swarm.isLost).toBe(true);
    ended.is = true;
    swarm.leave();
    clock.stop();
    await dispatcher.close();
  });
});
