import { once } from 'node:events';
import { Writable } from 'node:stream';

import type { Digest } from '@cdk8s-dragonfly/protocol';

import { ANSWER_WITHIN, ASK_AFTER } from '../src/sessions/pulls';
import { SessionHub } from '../src/sessions/session-hub';
import { SessionWriter } from '../src/sessions/session-writer';
import type { Outbox } from '../src/sessions/session-writer';
import type { TaskSwarm } from '../src/tasks/task-swarm';

/** A session whose writes are kept apart. */
class Stream extends Writable {
  readonly writes: string[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString());
    this.emit('written');
    done();
  }
}

describe('sessions with daemons', () => {
  let hub: SessionHub;
  beforeEach(() => {
    hub = new SessionHub();
  });
  afterEach(() => hub.stop());

  it('end when the daemon opens another', () => {
    const [first, second] = [new Stream(), new Stream()];
    hub.open('node', first, 1);
    hub.open('node', second, 2);
    expect([first.destroyed, second.destroyed, hub.openSessions]).toEqual([true, false, 1]);
  });

  it('do not end for one that was opened before, and read after', async () => {
    const [newer, older] = [new Stream(), new Stream()];
    hub.open('node', newer, 7);
    hub.open('node', older, 6);
    expect([newer.destroyed, older.destroyed, hub.openSessions]).toEqual([false, true, 1]);
    await once(newer, 'written');
    expect(newer.writes).toEqual(['{"type":"hello","blobs":0,"holdings":0}\n']);
  });

  it('of another version end, too, when the supernode stops', () => {
    const stream = new Stream();
    hub.openIdle(stream);
    expect([stream.destroyed, hub.openSessions]).toEqual([false, 1]);
    hub.stop();
    expect(stream.destroyed).toBe(true);
  });

  it('may be opened anew under a lower number once the other has ended', async () => {
    const [first, second] = [new Stream(), new Stream()];
    hub.open('node', first, 7);
    first.destroy();
    await once(first, 'close');
    hub.open('node', second, 1);
    expect([second.destroyed, hub.openSessions]).toEqual([false, 1]);
  });
});

describe('a daemon that has wanted a blob for long', () => {
  const [one, other] = ['1', '2'].map((digit): Digest => `sha256:${digit.repeat(64)}`) as [Digest, Digest];
  const member = { cid: 'node', ip: '10.0.0.1', port: 15_001 };
  let now: number;
  let hub: SessionHub;
  let left: string[];
  const swarmOf = (blob: Digest): TaskSwarm =>
    ({
      task: { blob },
      join: () => undefined,
      retell: () => undefined,
      leave: (cid: string) => left.push(`${cid} ${blob}`),
    }) as unknown as TaskSwarm;
  const at = (time: number): void => {
    now = time;
    hub.forgetIdle();
  };
  /** What a session is told from here on until a blob is named in it. */
  const told = async (stream: Stream): Promise<string[]> => {
    const from = stream.writes.length;
    const lines = (): string[] =>
      stream.writes
        .slice(from)
        .join('')
        .split('\n')
        .filter((line) => line !== '');
    while (!lines().some((line) => line.includes('credentials'))) await once(stream, 'written');
    return lines().filter((line) => !line.includes('ping'));
  };
  const question = `{"type":"credentials","blob":"${one}"}`;

  beforeEach(() => {
    now = 0;
    left = [];
    hub = new SessionHub(undefined, undefined, () => now);
  });
  afterEach(() => hub.stop());

  it('is asked whether it still does, and leaves the swarm when it does not register again', async () => {
    const stream = new Stream();
    hub.open('node', stream);
    hub.join(member, swarmOf(one));
    now = 1;
    hub.join(member, swarmOf(other));
    at(ASK_AFTER - 1);
    at(ASK_AFTER);
    expect(await told(stream)).toEqual(['{"type":"hello","blobs":0,"holdings":0}', question]);
    hub.join(member, swarmOf(other));
    at(ASK_AFTER + ANSWER_WITHIN - 1);
    expect(left).toEqual([]);
    at(ASK_AFTER + ANSWER_WITHIN);
    expect(left).toEqual([`node ${one}`]);
  });

  it('stays when it registers again, and is asked again after as long', async () => {
    const stream = new Stream();
    hub.open('node', stream);
    hub.join(member, swarmOf(one));
    at(ASK_AFTER);
    await told(stream);
    now += ANSWER_WITHIN - 1;
    hub.join(member, swarmOf(one));
    at(2 * ASK_AFTER + ANSWER_WITHIN - 2);
    expect(left).toEqual([]);
    const asked = told(stream);
    at(2 * ASK_AFTER + ANSWER_WITHIN - 1);
    expect(await asked).toEqual([question]);
  });

  it('is asked again when it opens another session: it may not have heard it', async () => {
    const [first, second] = [new Stream(), new Stream()];
    hub.open('node', first, 1);
    hub.join(member, swarmOf(one));
    at(ASK_AFTER);
    await told(first);
    hub.open('node', second, 2);
    const asked = told(second);
    at(ASK_AFTER + ANSWER_WITHIN);
    expect([await asked, left]).toEqual([['{"type":"hello","blobs":1,"holdings":0}', question], []]);
  });

  it('is asked with a few hundred others at a time', () => {
    const streams = Array.from({ length: 501 }, () => new Stream());
    for (const [number, stream] of streams.entries()) {
      hub.open(`${number}`, stream);
      hub.join({ ...member, cid: `${number}` }, swarmOf(one));
    }
    const send = jest.spyOn(hub, 'send');
    at(ASK_AFTER);
    expect(send).toHaveBeenCalledTimes(500);
    at(ASK_AFTER + 1);
    expect(send).toHaveBeenCalledTimes(501);
  });
});

describe('a daemon that wants nothing', () => {
  it('is pinged seldom, as it is told, until it wants something, and again when it has it', async () => {
    const hub = new SessionHub();
    const stream = new Stream();
    const blob: Digest = `sha256:${'ab'.repeat(32)}`;
    const member = { cid: 'node', ip: '10.0.0.1', port: 15_001 };
    const swarm = { task: { blob }, join: () => undefined, rest: () => undefined } as unknown as TaskSwarm;
    const next = async (): Promise<string> => {
      const { length } = stream.writes;
      while (stream.writes.length === length) await once(stream, 'written');
      return stream.writes[length] ?? '';
    };
    hub.open('node', stream);
    const calm = '{"type":"ping","within":10000}\n';
    expect(await next()).toContain('hello');
    expect(await next()).toBe(calm);
    const since = performance.now();
    expect(await next()).toBe(calm);
    expect(performance.now() - since).toBeGreaterThan(1000);
    hub.join(member, swarm);
    expect(await next()).toBe('{"type":"ping"}\n');
    const pulling = performance.now();
    expect(await next()).toBe('{"type":"ping"}\n');
    expect(performance.now() - pulling).toBeLessThan(1000);
    hub.hold(member, [blob], false);
    expect(await next()).toBe(calm);
    // Whoever has a blob and is named as its holder does not want it.
    hub.join(member, swarm, 'all');
    const holding = performance.now();
    expect(await next()).toBe(calm);
    expect(performance.now() - holding).toBeGreaterThan(1000);
    hub.stop();
  });
});

describe('what is written to sessions', () => {
  let writer: SessionWriter;
  beforeEach(() => {
    writer = new SessionWriter();
  });
  afterEach(() => writer.stop());

  it('goes out in one write, in the order in which it was put', async () => {
    const stream = new Stream();
    const outbox = writer.open(stream);
    writer.put(outbox, 'can wait\n', true);
    writer.put(outbox, 'cannot\n', false);
    writer.put(outbox, 'can again\n', true);
    expect(stream.writes).toEqual([]);
    await once(stream, 'written');
    expect(stream.writes).toEqual(['can wait\ncannot\ncan again\n']);
  });

  it('goes out soon when all of it can wait, and a session without news is pinged', async () => {
    const stream = new Stream();
    const outbox = writer.open(stream);
    writer.put(outbox, 'news\n', true);
    await once(stream, 'written');
    await once(stream, 'written');
    expect(stream.writes.slice(0, 2)).toEqual(['news\n', '{"type":"ping"}\n']);
  });

  it('goes with the turn of each session where there are thousands', async () => {
    const streams = Array.from({ length: 1001 }, () => new Stream());
    const outboxes = streams.map((stream) => writer.open(stream));
    for (const number of [1, 2]) for (const outbox of outboxes) writer.put(outbox, `news ${number}\n`, true);
    await Promise.all(streams.map((stream) => once(stream, 'written')));
    expect(new Set(streams.map(({ writes }) => writes[0]))).toEqual(new Set(['news 1\nnews 2\n']));
  });

  it('is too much when all leave 128 MiB unread: who has more than an equal part of it is cut off', async () => {
    const MIB = 1024 * 1024;
    writer.stop();
    // Nobody has a turn but who is told something.
    const turns = jest.spyOn(global, 'setInterval').mockReturnValue(setTimeout(() => undefined, 0));
    writer = new SessionWriter();
    turns.mockRestore();
    const streams = Array.from({ length: 19 }, () => new Stream());
    const outboxes = streams.map((stream) => writer.open(stream));
    const leaves = (index: number, value: number): unknown =>
      Object.defineProperty(streams[index], 'writableLength', { value, configurable: true });
    for (const index of streams.keys()) leaves(index, index === 0 ? 6 * MIB : index < 17 ? 7.5 * MIB : 0);
    const put = (outbox: Outbox | undefined): void => writer.put(outbox!, 'news\n', false);
    // 120 MiB.
    for (const outbox of outboxes.slice(1)) put(outbox);
    await once(streams[18]!, 'written');
    expect(streams.filter(({ destroyed }) => destroyed)).toEqual([]);
    // That has less than an equal part; each of the others has more.
    for (const at of [17, 18]) leaves(at, 6.5 * MIB);
    for (const at of [17, 18, 0, 1, 2]) put(outboxes[at]);
    await once(streams[0]!, 'written');
    expect(streams.flatMap(({ destroyed }, index) => (destroyed ? [index] : []))).toEqual([1, 2]);
    for (const at of [1, 2]) writer.close(outboxes[at]!);
    put(outboxes[3]);
    await once(streams[3]!, 'written');
    expect(streams[3]!.destroyed).toBe(false);
  });

  it('is dropped when the session has ended', async () => {
    const [gone, stays] = [new Stream(), new Stream()];
    const [first, second] = [writer.open(gone), writer.open(stays)];
    for (const outbox of [first, second]) writer.put(outbox, 'news\n', false);
    writer.close(first);
    await once(stays, 'written');
    expect(gone.writes).toEqual([]);
    expect(writer.size).toBe(1);
  });
});
