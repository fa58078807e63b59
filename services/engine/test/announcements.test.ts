import { EventEmitter, once } from 'node:events';

import { MAX_HOLDINGS } from '@cdk8s-dragonfly/protocol';
import type { BlobId, Digest } from '@cdk8s-dragonfly/protocol';

import { Announcements, MOST_TOLD } from '../src/links/announcements';

const named = (at: number): Digest => `sha256:${at.toString(16).padStart(64, '0')}`;

describe('what a supernode is told of the blobs that are here', () => {
  let here: BlobId[];
  let posts: { blobs: number; first: BlobId | undefined; anew: boolean }[];
  let fails: boolean;
  const done = new EventEmitter();
  let announcements: Announcements;

  beforeEach(() => {
    here = [];
    posts = [];
    fails = false;
    announcements = new Announcements({
      post: async (blobs, anew) => {
        posts.push({ blobs: blobs.length, first: blobs[0], anew });
        setImmediate(() => done.emit('post'));
        return fails ? Promise.reject(new Error('not now')) : Promise.resolve();
      },
      all: () => here,
      random: () => 0,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
  });
  afterEach(() => announcements.stop());

  it('is all when it knows nothing, and then what comes', async () => {
    here = [named(1), named(2)];
    announcements.opened(0);
    await once(done, 'post');
    announcements.added(named(3));
    announcements.added(named(4));
    await once(done, 'post');
    expect(posts).toEqual([
      { blobs: 2, first: named(1), anew: true },
      { blobs: 2, first: named(3), anew: false },
    ]);
  });

  it('is nothing when a session is opened again and it still knows all, and all when it does not', async () => {
    here = [named(1)];
    announcements.opened(0);
    await once(done, 'post');
    announcements.opened(1);
    announcements.added(named(2));
    await once(done, 'post');
    announcements.opened(0);
    await once(done, 'post');
    expect(posts.map(({ anew }) => anew)).toEqual([true, false, true]);
  });

  it('is all again after it could not be told', async () => {
    here = [named(1)];
    fails = true;
    announcements.opened(0);
    await once(done, 'post');
    fails = false;
    here.push(named(2));
    announcements.added(named(2));
    await once(done, 'post');
    expect(posts).toEqual([
      { blobs: 1, first: named(1), anew: true },
      { blobs: 2, first: named(1), anew: true },
    ]);
  });

  it('comes in parts of bounded size, those used last of too many', async () => {
    here = Array.from({ length: MOST_TOLD + 5 }, (_, at) => named(at));
    announcements.opened(0);
    while (posts.length < MOST_TOLD / MAX_HOLDINGS) await once(done, 'post');
    expect(posts[0]).toEqual({ blobs: MAX_HOLDINGS, first: named(5), anew: true });
    expect(posts.map(({ anew }) => anew)).toEqual([true, false, false, false]);
  });

  it('comes the later the more it is, from some daemons at least', async () => {
    const waits = jest.spyOn(global, 'setTimeout');
    const patient = new Announcements({
      post: () => Promise.resolve(),
      all: () => here,
      random: () => 1,
      log: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    });
    here = Array.from({ length: 1000 }, (_, at) => named(at));
    patient.opened(0);
    await patient.stop();
    // 5,000 daemons tell of 5 million blobs, which a supernode works on for 10 s.
    expect(waits.mock.calls.map(([, ms]) => ms)).toEqual([22_000]);
    waits.mockRestore();
  });

  it('is nothing to one that takes no holdings', async () => {
    here = [named(1)];
    announcements.opened(undefined);
    announcements.added(named(2));
    await new Promise((resolve) => setImmediate(resolve));
    await announcements.stop();
    expect(posts).toEqual([]);
  });
});
