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
