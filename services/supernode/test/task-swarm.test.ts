import { BlockSet } from '@cdk8s-dragonfly/protocol';
import type { SessionMessage, Share, TaskFailure } from '@cdk8s-dragonfly/protocol';

import type { Task } from '../src/tasks/task';
import { TaskSwarm } from '../src/tasks/task-swarm';

/** What a swarm looks at of a task. */
class Arriving {
  readonly blob = `sha256:${'1'.repeat(64)}` as const;
  state: 'fetching' | 'complete' | 'failed' = 'fetching';
  failure: TaskFailure | undefined;
  readonly needsCredentials = false;
  private stateWatcher: (() => void) | undefined;
  private blockWatcher: ((block: number) => void) | undefined;
  stored: ReturnType<Arriving['onDisk']> | undefined = this.onDisk();

  watch(watcher: () => void): () => void {
    this.stateWatcher = watcher;
    return () => undefined;
  }

  has(block: number): void {
    this.stored?.held.add(block);
    this.blockWatcher?.(block);
  }

  complete(): void {
    this.state = 'complete';
    this.stateWatcher?.();
  }

  fail(failure: TaskFailure): void {
    this.state = 'failed';
    this.failure = failure;
    this.stateWatcher?.();
  }

  /** What was there is gone, and nothing is there in its place yet, or a blob without blocks. */
  beginAnew(isThere: boolean): void {
    this.stored = isThere ? this.onDisk() : undefined;
    this.stateWatcher?.();
  }

  private onDisk(): {
    readonly held: BlockSet;
    readonly grid: { readonly pieceSize: number };
    watch(watcher: (block: number) => void): () => void;
  } {
    return {
      held: new BlockSet(),
      grid: { pieceSize: 4 << 20 },
      watch: (watcher) => {
        this.blockWatcher = watcher;
        return () => undefined;
      },
    };
  }
}

describe('the swarm of a task', () => {
  let task: Arriving;
  let swarm: TaskSwarm;
  /** Which blocks each member was told of, in order, with those that it is told again. */
  const told = new Map<string, number[]>();
  /** How often each was told all that is there. */
  const haves = new Map<string, number>();
  /** The lists of neighbours that each was told. */
  const lists = new Map<string, string[][]>();
  /** Whom each may ask, and its share, as it was told last. */
  const placed = new Map<string, { peers?: readonly string[]; share?: Share }>();
  const send = (cid: string, message: SessionMessage): void => {
    const list = told.get(cid) ?? [];
    told.set(cid, list);
    if (message.type === 'have') haves.set(cid, (haves.get(cid) ?? 0) + 1);
    if (message.type === 'neighbours')
      lists.set(cid, [...(lists.get(cid) ?? []), message.peers.map((peer) => peer.cid).sort()]);
    if (message.type === 'added') list.push(...message.blocks);
    if (message.type === 'have') list.push(...BlockSet.fromBase64(message.blocks));
    const place = placed.get(cid) ?? {};
    placed.set(cid, place);
    if (message.type === 'neighbours') place.peers = message.peers.map((peer) => peer.cid);
    if (message.type === 'share') place.share = message.share;
  };
  let heard: typeof send;
  const forgotten: string[] = [];
  /** Those that have no session open. */
  const deaf = new Set<string>();
  const join = (cid: string, has?: 'part' | 'all'): void => swarm.join({ cid, ip: '10.0.0.1', port: 15_001 }, has);

  beforeEach(() => {
    jest.useFakeTimers();
    heard = send;
    told.clear();
    haves.clear();
    lists.clear();
    placed.clear();
    deaf.clear();
    forgotten.length = 0;
    task = new Arriving();
    swarm = new TaskSwarm(task as unknown as Task, 0, {
      send: (cid, message) => {
        if (!deaf.has(cid)) heard(cid, message);
        return !deaf.has(cid);
      },
      forget: (_swarm, cids) => void forgotten.push(...cids),
    });
    // Of five members four have a share.
    for (const cid of ['a', 'b', 'c', 'd', 'e']) join(cid);
  });
  afterEach(() => {
    swarm.stop();
    jest.useRealTimers();
  });

  it('is told once of the neighbours that a herd makes, and each of the herd at once of its own', () => {
    const heard = (cid: string): readonly string[][] => lists.get(cid) ?? [];
    /** Whoever has a neighbour is one of its neighbours, as far as they were told. */
    const agree = (): void => {
      for (const [cid, all] of lists) for (const peer of all.at(-1) ?? []) expect(heard(peer).at(-1)).toContain(cid);
    };
    jest.advanceTimersByTime(50);
    agree();
    const before = new Map([...lists].map(([cid, { length }]) => [cid, length]));
    const herd = Array.from({ length: 20 }, (_, number) => `herd-${number}`);
    for (const cid of herd) join(cid);
    for (const cid of herd) expect(heard(cid)).toHaveLength(1);
    for (const [cid, length] of before) expect(heard(cid)).toHaveLength(length);
    jest.advanceTimersByTime(50);
    agree();
    for (const cid of herd) expect(heard(cid).length).toBeLessThanOrEqual(2);
    for (const [cid, length] of before) expect(heard(cid).length).toBeLessThanOrEqual(length + 1);
    // What one is told for another reason is newer than what waits.
    join('last');
    swarm.leave('a');
    lists.delete('a');
    jest.advanceTimersByTime(50);
    agree();
  });

  it('hears of new blocks at once, as far as it has a share, and all others a little later', () => {
    task.has(0);
    task.has(1);
    jest.advanceTimersByTime(5);
    expect([told.get('a'), told.get('d'), told.get('e')]).toEqual([[0, 1], [0, 1], []]);
    task.has(2);
    jest.advanceTimersByTime(149);
    expect(told.get('e')).toEqual([]);
    jest.advanceTimersByTime(1);
    expect([told.get('a'), told.get('e')]).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
  });

  it('tells all of everything when the blob is whole', () => {
    task.has(0);
    jest.advanceTimersByTime(5);
    task.has(1);
    task.complete();
    expect([told.get('a'), told.get('e')]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    jest.advanceTimersByTime(1000);
    expect(told.get('e')).toEqual([0, 1]);
  });

  it('tells nothing to who has all, names it to others, and tells it all when it wants the blob again', () => {
    jest.advanceTimersByTime(50);
    swarm.rest('a');
    expect(swarm.isWanted).toBe(true);
    const send = jest.fn(heard);
    heard = send;
    const hears = (cid: string): number => send.mock.calls.filter(([of]) => of === cid).length;
    task.has(0);
    task.complete();
    for (const cid of ['f', 'g']) join(cid);
    swarm.leave('b');
    swarm.retell('a');
    jest.advanceTimersByTime(1000);
    expect([hears('a'), hears('c') > 0]).toEqual([0, true]);
    expect(placed.get('f')?.peers).toContain('a');
    join('a');
    expect(send.mock.calls.flatMap(([cid, { type }]) => (cid === 'a' ? [type] : []))).toEqual([
      ...['task', 'have', 'neighbours', 'share'],
    ]);
    for (const cid of ['a', 'c', 'd', 'e', 'f', 'g']) swarm.rest(cid);
    expect([swarm.isWanted, swarm.size]).toEqual([false, 6]);
  });

  describe('when the origin does not give the blob', () => {
    const refused = { code: 607, status: 404, message: 'it answered 404' };
    let hears: string[];
    beforeEach(() => {
      hears = [];
      heard = (cid, message) => {
        if (message.type === 'task') hears.push(cid);
      };
      jest.advanceTimersByTime(50);
      swarm.rest('a');
    });

    it.each([refused, { code: 604, mismatch: true as const, message: 'other bytes' }])(
      'and nothing came of it, lets those go that heard so and give up: %j',
      (failure) => {
        task.fail(failure);
        expect([hears, forgotten, [...swarm.cids]]).toEqual([['b', 'c', 'd', 'e'], ['b', 'c', 'd', 'e'], ['a']]);
        // Who comes while that is so hears it, and gives up as they did.
        join('f');
        task.fail(failure);
        expect(hears).toEqual(['b', 'c', 'd', 'e', 'f']);
        expect([[...swarm.cids], swarm.isWanted]).toEqual([['a'], false]);
        heard = send;
        task.state = 'fetching';
        join('b');
        expect(placed.get('b')?.peers).toEqual(['a']);
      },
    );

    it('keeps those that have a part of it, as neighbours of who comes later, and goes on telling them', () => {
      for (const cid of ['c', 'd']) join(cid, 'part');
      hears.length = 0;
      task.fail(refused);
      expect([hears, forgotten, [...swarm.cids]]).toEqual([
        ['b', 'c', 'd', 'e'],
        ['b', 'e'],
        ['a', 'c', 'd'],
      ]);
      join('f', 'part');
      swarm.join({ cid: 'apart', ip: '10.0.0.6', port: 0 }, 'part');
      task.fail(refused);
      expect(hears.slice(4)).toEqual(['f', 'apart', 'c', 'd', 'f', 'apart']);
      expect(swarm.holdersOfPart.map(({ cid }) => cid)).toEqual(['c', 'd', 'f']);
      swarm.leave('apart');
      heard = send;
      // They have lost it, or have all of it.
      join('c');
      swarm.rest('d');
      swarm.retell('f');
      expect([[...swarm.cids], swarm.holdersOfPart.map(({ cid }) => cid)]).toEqual([['a', 'd', 'f'], ['f']]);
      task.state = 'fetching';
      join('b');
      expect([...(placed.get('b')?.peers ?? [])].sort()).toEqual(['a', 'd', 'f']);
    });

    it('and has other bytes, lets those go, too, that have a part of them', () => {
      join('c', 'part');
      task.fail({ code: 604, mismatch: true, message: 'other bytes' });
      expect([...swarm.cids]).toEqual(['a']);
    });

    it('keeps those that have no session open until they have heard it', () => {
      deaf.add('b');
      task.fail(refused);
      expect([[...swarm.cids], swarm.isWanted]).toEqual([['a', 'b'], true]);
      deaf.clear();
      swarm.retell('b');
      expect([hears.at(-1), forgotten.at(-1), [...swarm.cids], swarm.isWanted]).toEqual(['b', 'b', ['a'], false]);
    });

    it.each([
      ['some of it came before', true, refused],
      ['they go on by themselves', false, { code: 607, message: 'nobody is there' }],
    ])('and %s, goes on telling them', (_, came, failure) => {
      if (came) task.has(0);
      task.fail(failure);
      expect([...swarm.cids]).toEqual(['a', 'b', 'c', 'd', 'e']);
    });
  });

  it('tells a member at once what it has not heard of when another leaves it its share', () => {
    task.has(0);
    jest.advanceTimersByTime(5);
    swarm.leave('b');
    expect(told.get('e')).toEqual([0]);
    task.has(1);
    jest.advanceTimersByTime(5);
    expect(told.get('e')).toEqual([0, 1]);
  });

  it('names nobody a member without a peer port, leaves no block to it, and tells it of new ones at once', () => {
    const before = new Map([...placed].map(([cid, { share }]) => [cid, share]));
    swarm.join({ cid: 'f', ip: '10.0.0.6', port: 0 });
    jest.advanceTimersByTime(50);
    expect(placed.get('f')).toEqual({ peers: [], share: { index: 0, count: 1 } });
    for (const cid of ['a', 'b', 'c', 'd', 'e']) {
      expect(placed.get(cid)?.peers).not.toContain('f');
      expect(placed.get(cid)?.share).toEqual(before.get(cid));
    }
    expect([...swarm.all].map(({ cid }) => cid)).toEqual(['a', 'b', 'c', 'd', 'e']);
    task.has(0);
    jest.advanceTimersByTime(5);
    expect([told.get('f'), told.get('e')]).toEqual([[0], []]);
    jest.advanceTimersByTime(1000);
    expect([told.get('f'), told.get('e')]).toEqual([[0], [0]]);
  });

  it('tells so many members without a peer port at once, and the others with all others', () => {
    for (let member = 0; member < 65; member += 1) swarm.join({ cid: `apart-${member}`, ip: '10.0.0.6', port: 0 });
    task.has(0);
    jest.advanceTimersByTime(5);
    const hasHeard = (): number =>
      Array.from({ length: 65 }, (_, at) => told.get(`apart-${at}`)).filter((all) => all?.length === 1).length;
    expect(hasHeard()).toBe(64);
    jest.advanceTimersByTime(150);
    expect(hasHeard()).toBe(65);
  });

  it('takes a member as one that serves from when it names a port, and as one that does not when it names none', () => {
    swarm.join({ cid: 'f', ip: '10.0.0.6', port: 0 });
    join('f');
    jest.advanceTimersByTime(50);
    expect(placed.get('f')?.peers).not.toEqual([]);
    swarm.join({ cid: 'f', ip: '10.0.0.6', port: 0 });
    jest.advanceTimersByTime(50);
    for (const cid of ['a', 'b', 'c', 'd', 'e']) expect(placed.get(cid)?.peers).not.toContain('f');
    swarm.leave('f');
    expect(swarm.size).toBe(5);
  });

  it.each([[[true]], [[false, true]]])(
    'hears of no block of a blob that another took the place of, and of what that one has (%p)',
    (steps) => {
      task.has(0);
      jest.advanceTimersByTime(5);
      task.has(1);
      expect([told.get('a'), told.get('e')]).toEqual([[0], []]);
      haves.clear();
      for (const isThere of steps) task.beginAnew(isThere);
      // Nothing is there yet, which they have to know: what they were told before is no longer true.
      expect([...haves]).toEqual(['a', 'b', 'c', 'd', 'e'].map((cid) => [cid, 1]));
      jest.advanceTimersByTime(1000);
      expect([told.get('a'), told.get('e')]).toEqual([[0], []]);
      task.has(2);
      jest.advanceTimersByTime(155);
      expect([told.get('a'), told.get('e')]).toEqual([[0, 2], [2]]);
    },
  );
});
