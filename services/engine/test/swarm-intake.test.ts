import { generateKeyPairSync } from 'node:crypto';

import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import { Doubts } from '../src/download/doubts';
import { FlightBudget } from '../src/download/flight-budget';
import type { Intake } from '../src/download/intake';
import { SwarmIntake } from '../src/download/swarm-intake';
import { DAEMON_POLICY } from '../src/download/tools';
import type { DownloadTools } from '../src/download/tools';
import { BlockClient } from '../src/links/block-client';
import { LinkFailure } from '../src/links/failure';
import { NeighbourPatience } from '../src/links/neighbour-patience';
import { SteadyClock } from '../src/links/steady-clock';
import type { SessionListener } from '../src/links/supernode-session';
import { noTraffic } from '../src/node/traffic';

const blob = `sha256:${'0'.repeat(64)}` as const;

/** A download's swarm at supernodes whose answers the test gives. */
function swarmAt(
  join: (wanted: unknown, listener: SessionListener) => Promise<unknown>,
  clock: Pick<SteadyClock, 'now'>,
  intake: Partial<Intake> = {},
): SwarmIntake {
  const tools = {
    cid: 'me',
    supernodes: { join },
    blocks: new BlockClient({ connect: 1000, stall: 1000 }),
    streams: { connect: 1000, answer: 2000 },
    patience: new NeighbourPatience(2000),
    budget: new FlightBudget(),
    traffic: noTraffic(),
    timeouts: { swarmStall: 2000, busy: 8000 },
    clock,
    policy: DAEMON_POLICY,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
  };
  const whole = {
    request: { blob, url: new URL('http://127.0.0.1:9/'), headers: [] },
    stored: () => undefined,
    doubts: new Doubts(),
    finished: () => false,
    changed: () => undefined,
    fail: (error: unknown) => {
      throw error;
    },
    ...intake,
  };
  return new SwarmIntake(
    whole as unknown as Intake,
    tools as unknown as DownloadTools,
    () => undefined,
    () => undefined,
  );
}

describe('what a supernode said', () => {
  const { publicKey } = generateKeyPairSync('ed25519');

  it('before it was lost does not count when it is heard later', async () => {
    const ended = { is: false };
    const begun: { resolve?: (stored: StoredBlob) => void } = {};
    const clock = new SteadyClock();
    let joins = 0;
    const refused: { resolve?: () => void } = {};
    const triedAgain = new Promise<void>((resolve) => (refused.resolve = resolve));
    const join = (): Promise<unknown> => {
      joins += 1;
      if (joins === 1) {
        const joined = { kind: 'joined', blocks: new URL('http://127.0.0.1:9'), key: publicKey };
        return Promise.resolve({ link: { leave: () => undefined }, joined });
      }
      setImmediate(() => refused.resolve?.());
      return Promise.reject(new LinkFailure('gone', 'nobody is there'));
    };
    const swarm = swarmAt(join, clock, {
      begin: () => new Promise<StoredBlob>((resolve) => (begun.resolve = resolve)),
      finished: () => ended.is,
    });
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
  });
});

describe('a supernode that has failed', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const joined = { kind: 'joined', blocks: new URL('http://127.0.0.1:9'), key: publicKey };

  it('serves us again when it is at the blob, not when it tries once more', async () => {
    const join = (): Promise<unknown> => Promise.resolve({ link: { leave: () => undefined }, joined });
    const swarm = swarmAt(join, { now: 0 }, { begin: () => Promise.resolve({} as unknown as StoredBlob) });
    const states: unknown[] = [];
    expect(await swarm.join()).toBe(true);
    for (const state of ['waiting', 'failed', 'waiting', 'fetching'] as const) {
      swarm.event({ type: 'task', blob, state });
      await new Promise(setImmediate);
      states.push([state, swarm.isServed, swarm.isAlone, swarm.isWaitingForOrigin]);
    }
    expect(states).toEqual([
      ['waiting', true, false, true],
      ['failed', false, true, false],
      ['waiting', false, true, false],
      ['fetching', true, false, true],
    ]);
    swarm.leave();
  });
});

describe('a swarm that takes us in later', () => {
  it('is put off until the time that the supernode named, counted from then', () => {
    const clock = { now: 1000 };
    let later: (ms: number) => void = () => undefined;
    // As a link does while it waits for its turn.
    const swarm = swarmAt((_wanted, listener) => {
      later = (ms) => listener.putOff?.(ms);
      return new Promise(() => undefined);
    }, clock);
    void swarm.join();
    expect(swarm.isPutOff).toBe(false);
    later(5000);
    clock.now += 4999;
    expect(swarm.isPutOff).toBe(true);
    clock.now += 1;
    expect(swarm.isPutOff).toBe(false);
    // Told once more, it begins anew.
    later(300);
    clock.now += 299;
    expect(swarm.isPutOff).toBe(true);
    clock.now += 1;
    expect(swarm.isPutOff).toBe(false);
    swarm.leave();
  });
});
