import { BlockSet } from '@cdk8s-dragonfly/protocol';

import type { Intake } from '../src/download/intake';
import { Said } from '../src/download/said';
import type { Hearers } from '../src/download/said';
import { settled } from './swarm-of-servers';

const blob = `sha256:${'0'.repeat(64)}` as const;

/** A supernode that wants the credentials of another client, and what becomes of the registration with them. */
function credentialsAsked(): {
  said: Said;
  sought: () => number;
  has: BlockSet;
  registered: (joined: boolean) => void;
} {
  const has = new BlockSet();
  let sought = 0;
  let registered: (joined: boolean) => void = () => undefined;
  const membership = {
    lostTimes: 0,
    isOver: false,
    join: () => new Promise<boolean>((resolve) => (registered = resolve)),
    keepSeeking: () => (sought += 1),
  };
  const intake = {
    request: { blob },
    fail: (error: unknown) => {
      throw error;
    },
  };
  const hearers = {
    ahead: { heard: () => undefined },
    chooser: { pump: () => undefined, supernodeGot: () => undefined },
    membership,
    sources: { supernode: { has } },
  };
  const tools = { log: { debug: () => undefined } };
  const said = new Said(intake as unknown as Intake, tools as never, hearers as unknown as Hearers);
  said.hear({ type: 'credentials', blob });
  return { said, sought: () => sought, has, registered: (joined) => registered(joined) };
}

describe('a supernode whose origin refused the blob', () => {
  /** What becomes of a download that has so many blocks. @param known whether the supernode has been told that it may have some. */
  const told = async (blocks: number, known: boolean): Promise<string[]> => {
    const done: string[] = [];
    const membership = {
      lostTimes: 0,
      isOver: false,
      resumes: known,
      join: () => {
        membership.resumes = true;
        done.push('registers');
        return Promise.resolve(true);
      },
    };
    const intake = {
      request: { blob },
      stored: () => ({ held: { count: blocks } }),
      fail: (error: unknown) => {
        throw error;
      },
    };
    const hearers = {
      ahead: { heard: () => undefined },
      chooser: { pump: () => undefined },
      membership,
      failed: () => done.push('fails'),
    };
    const said = new Said(intake as unknown as Intake, { log: {} } as never, hearers as unknown as Hearers);
    for (const status of [undefined, 401, 401]) {
      said.hear({ type: 'task', blob, state: 'failed', failure: { code: 607, message: 'it did not', status } });
      await settled();
    }
    return done;
  };

  it('is told once that we have blocks: it keeps nobody who gives up', async () => {
    expect(await told(1, false)).toEqual(['fails', 'fails', 'registers', 'fails']);
  });

  it.each([
    ['nothing is here', 0, false],
    ['it knows so', 1, true],
  ])('is told nothing when %s', async (_, blocks, known) => {
    expect(await told(blocks, known)).toEqual(['fails', 'fails', 'fails']);
  });
});

describe('credentials that the supernode asks for', () => {
  it('keep nothing else that it says from being heard, however long it takes the registration', async () => {
    const { said, has } = credentialsAsked();
    await settled();
    said.hear({ type: 'added', blob, blocks: [3] });
    await settled();
    expect([...has]).toEqual([3]);
  });

  it.each([
    ['are sought for again when nobody took them', false, 1],
    ['are brought once when somebody did', true, 0],
  ])('%s', async (_what, joined, times) => {
    const { registered, sought } = credentialsAsked();
    await settled();
    registered(joined);
    await settled();
    expect(sought()).toBe(times);
  });
});
