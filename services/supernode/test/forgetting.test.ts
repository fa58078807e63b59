import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OriginAnswer } from '@cdk8s-dragonfly/origin';
import { BlockSet, NATIVE_VERSION, digestOf, parseRegistryRequest, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { BlobId, ClassicAnswer, Digest, RegistryRequest } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';
import fc from 'fast-check';

import { blobOf } from '../src/classic/blob-of';
import { ClassicAliases } from '../src/classic/classic-aliases';
import { ClassicPlacement } from '../src/classic/classic-placement';
import { ClassicPresence, IDLE_CLIENT, LEFT_CLIENT } from '../src/classic/classic-presence';
import { IDLE_SWARM } from '../src/classic/classic-swarm';
import { ClassicTasks } from '../src/classic/classic-tasks';
import { Announced } from '../src/holders/announced';
import { HolderRoads } from '../src/holders/holders';
import { HoldingsIndex } from '../src/holders/holdings-index';
import type { Owner } from '../src/replicas/replica-set';
import { SessionHub } from '../src/sessions/session-hub';
import { OriginTurns } from '../src/tasks/origin-turns';
import { Registrar } from '../src/tasks/register';
import { MOST_RESTING, REST } from '../src/tasks/swarm-members';
import { IDLE_TASK, TaskTable } from '../src/tasks/task-table';

/** A supernode's memory, with an origin of small files and a clock that is set by hand. */
class Memory {
  now = 0;
  opened = 0;
  readonly index = new HoldingsIndex();
  readonly sessions = new SessionHub(this.index, undefined, () => this.now);
  readonly aliases = new ClassicAliases();
  private readonly roads = new HolderRoads();
  readonly tasks: TaskTable;
  readonly classic: ClassicTasks;
  readonly registrar: Registrar;
  readonly announced: Announced;

  private constructor(
    private readonly home: string,
    private readonly store: BlobStore,
    limits: { tasks?: number; clients?: number },
  ) {
    const { privateKey: key } = generateKeyPairSync('ed25519');
    const now = (): number => this.now;
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    const origin = {
      open: async ({ url }: { url: URL }, signal: AbortSignal): Promise<OriginAnswer> => {
        this.opened += 1;
        if (url.pathname === '/held')
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
        const content = contentOf(url.pathname);
        const facts = {
          status: 200,
          size: content.length,
          from: 0,
          acceptsRanges: false,
          finalHost: url.host,
        } as const;
        return Promise.resolve({ ...facts, body: once(content), discard: () => undefined });
      },
    };
    const usedElsewhere = (blob: Parameters<ClassicTasks['uses']>[0]): boolean => this.classic.uses(blob);
    this.tasks = new TaskTable(
      { origin, turns: new OriginTurns(), store, key, log, roads: this.roads },
      this.sessions,
      {
        now,
        usedElsewhere,
        forgot: (blob) => this.classic.forget(blob),
        limit: limits.tasks,
        made: (swarm) => this.announced.seat(swarm),
      },
    );
    this.announced = new Announced({ index: this.index, sessions: this.sessions, tasks: this.tasks });
    const advertised = { ip: '10.0.0.1', port: 8001 };
    const clients = limits.clients === undefined ? {} : { maxClients: limits.clients };
    this.classic = new ClassicTasks({ tasks: this.tasks, aliases: this.aliases, advertised, now, log, ...clients });
    const replicas = { id: '0'.repeat(32), owner: (): Owner => ({ self: true }) };
    this.registrar = new Registrar({ tasks: this.tasks, sessions: this.sessions, key, advertised, replicas });
  }

  static async open(limits: { tasks?: number; clients?: number } = {}): Promise<Memory> {
    const home = await mkdtemp(join(tmpdir(), 'supernode-forgetting-'));
    return new Memory(home, await BlobStore.open(home), limits);
  }

  /** Sets the clock, and looks for what can be forgotten. */
  at(now: number): void {
    this.now = now;
    this.classic.forgetIdle();
    this.sessions.forgetIdle();
    this.tasks.forgetIdle();
  }

  /** Resolves when the file of a registration is whole. */
  async register(name: string, cid = 'a', port = 20_000): Promise<{ code: number; taskId: string }> {
    const { request, taskId } = registration(name, cid, port);
    const { code } = await this.classic.register(request);
    const task = this.tasks.find(blobOf(request))?.task;
    if (task !== undefined && task.state !== 'complete') {
      await new Promise<void>((resolve) => task.watch(() => task.state === 'complete' && resolve()));
    }
    await settled();
    return { code, taskId };
  }

  async ask(taskId: string, cid = 'a'): Promise<number> {
    return (await this.classic.ask(`srcCid=${cid}&dstCid=&range=&result=502&status=700&taskId=${taskId}`)).code;
  }

  async close(): Promise<void> {
    this.classic.stop();
    this.sessions.stop();
    await this.tasks.stop();
    await this.store.stop();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** What follows from the last event has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(content);
}

const contents = new Map<string, Buffer>();
function contentOf(path: string): Buffer {
  const content = contents.get(path) ?? randomBytes(100);
  contents.set(path, content);
  return content;
}

function registration(name: string, cid: string, port: number): { request: RegistryRequest; taskId: string } {
  const url = `http://origin.example/${name}`;
  const fields = { rawUrl: url, taskUrl: url, cid, ip: '127.0.0.1', port, path: '/peer/file/a' };
  const parsed = parseRegistryRequest(JSON.stringify(fields));
  if (!parsed.ok) throw new Error(parsed.refusal.msg);
  return { request: parsed.value, taskId: taskIdOf({ taskUrl: url }) };
}

let memory: Memory;

describe('a supernode forgets', () => {
  afterEach(async () => memory.close());

  it('a client that has been silent for 3 minutes: it registers again', async () => {
    memory = await Memory.open();
    const { taskId } = await memory.register('file');
    memory.now = 1;
    await memory.register('file', 'b');
    memory.at(IDLE_CLIENT - 1);
    expect(await memory.ask(taskId, 'b')).toBe(601);
    memory.at(IDLE_CLIENT);
    expect(await memory.ask(taskId, 'a')).toBe(605);
    expect(await memory.ask(taskId, 'b')).toBe(601);
    expect((await memory.register('file')).code).toBe(200);
    expect(await memory.ask(taskId, 'a')).toBe(601);
    expect(memory.opened).toBe(1);
  });

  it('a client 2 minutes after it has left, unless it comes again', async () => {
    memory = await Memory.open();
    const { taskId } = await memory.register('file');
    await memory.register('file', 'b');
    memory.classic.serviceDown(`taskId=${taskId}&cid=a`);
    memory.classic.serviceDown(`taskId=${taskId}&cid=b`);
    memory.at(LEFT_CLIENT - 1);
    expect(await memory.ask(taskId, 'a')).toBe(601);
    await memory.register('file', 'b');
    memory.at(LEFT_CLIENT);
    expect(await memory.ask(taskId, 'a')).toBe(605);
    expect(await memory.ask(taskId, 'b')).toBe(601);
  });

  it('nobody of whom others still have pieces', async () => {
    memory = await Memory.open();
    const { taskId } = await memory.register('file', 'holder');
    const range = `0-${4 * 1024 * 1024 - 1}`;
    memory.classic.pieceStored(`taskId=${taskId}&cid=holder&dstCid=x&pieceRange=${range}`);
    memory.now = IDLE_CLIENT - 1;
    await memory.register('file', 'b', 0);
    const report = `srcCid=b&dstCid=holder&range=${range}&result=503&status=701&taskId=${taskId}`;
    expect((await memory.classic.ask(report)).code).toBe(600);
    memory.at(2 * IDLE_CLIENT - 2);
    await memory.register('file', 'c');
    const answer = await memory.classic.ask(`srcCid=c&result=502&status=700&taskId=${taskId}`);
    expect(answer.data).toEqual([expect.objectContaining({ cid: 'holder', peerPort: 20_000 })]);
  });

  it('a file that nobody has wanted for 3 minutes, and finds it on disk again', async () => {
    memory = await Memory.open();
    const content = randomBytes(100);
    const blob = digestOf(content);
    const name = `v2/app/blobs/${blob}`;
    contents.set(`/${name}`, content);
    const { taskId } = await memory.register(name);
    memory.at(IDLE_SWARM - 1);
    expect(memory.classic.uses(blob)).toBe(true);
    memory.at(IDLE_SWARM);
    expect(memory.classic.uses(blob)).toBe(false);
    expect(memory.aliases.size).toBe(0);
    expect(await memory.ask(taskId)).toBe(605);
    memory.at(IDLE_SWARM + IDLE_TASK);
    expect(memory.tasks.size).toBe(0);
    expect((await memory.register(name)).code).toBe(200);
    expect(await memory.ask(taskId)).toBe(601);
    expect(memory.opened).toBe(1);
  });

  it('no blob as long as a daemon wants it, and all of its members when none does; who holds it is found for who comes late', async () => {
    memory = await Memory.open();
    const content = contentOf('/blob');
    const blob: Digest = digestOf(content);
    const source = { url: new URL('http://origin.example/blob'), headers: [] };
    const daemon = (cid: string): { cid: string; ip: string; port: number; zone: undefined } => ({
      ...{ cid, ip: '127.0.0.1', port: 1, zone: undefined },
    });
    const swarm = memory.tasks.obtain(blob);
    const whole = new Promise<void>((resolve) => swarm.task.watch(() => swarm.task.state === 'complete' && resolve()));
    swarm.task.want(source);
    for (const cid of ['a', 'b']) memory.sessions.join(daemon(cid), swarm);
    await whole;
    await settled();
    const tell = (cid: string): void => memory.announced.take(daemon(cid), { blobs: [blob], anew: false }, '127.0.0.1');
    tell('a');
    memory.at(2 * IDLE_TASK);
    expect([memory.tasks.find(blob), swarm.size]).toEqual([swarm, 2]);
    tell('b');
    memory.at(3 * IDLE_TASK - 1);
    expect(memory.tasks.find(blob)).toBe(swarm);
    memory.at(3 * IDLE_TASK);
    expect(memory.tasks.find(blob)).toBeUndefined();
    const again = memory.tasks.obtain(blob);
    expect([...again.all].map(({ cid }) => cid)).toEqual(['a', 'b']);
    expect(again.isWanted).toBe(false);
    const found = new Promise<void>((resolve) => again.task.watch(() => again.task.state === 'complete' && resolve()));
    again.task.want(source);
    await found;
    expect(memory.opened).toBe(1);
  });

  it('of a blob that is wanted again and again all but the 64 members that have it for the shortest time', async () => {
    memory = await Memory.open();
    const blob = digestOf(contentOf('/blob'));
    const swarm = memory.tasks.obtain(blob);
    const daemon = (cid: number): { cid: string; ip: string; port: number; zone: undefined } => ({
      ...{ cid: `${cid}`, ip: '127.0.0.1', port: 1, zone: undefined },
    });
    const tell = (cid: number): void => memory.announced.take(daemon(cid), { blobs: [blob], anew: false }, '127.0.0.1');
    for (let cid = 0; cid < MOST_RESTING + 4; cid += 1) memory.sessions.join(daemon(cid), swarm);
    for (let cid = 1; cid < MOST_RESTING + 4; cid += 1) {
      memory.now = cid === 1 ? 0 : 1;
      tell(cid);
    }
    memory.at(REST - 1);
    expect(swarm.size).toBe(MOST_RESTING + 4);
    memory.at(REST);
    // The one that wants it, and those that have it for less than the time, however many they are.
    expect([...swarm.cids]).toEqual(['0', ...Array.from({ length: MOST_RESTING + 2 }, (_, at) => `${at + 2}`)]);
    memory.at(REST + 1);
    const left = ['0', ...Array.from({ length: MOST_RESTING }, (_, at) => `${at + 4}`)];
    expect([...swarm.cids]).toEqual(left);
    // More that only have it are of no use; who was let go and wants it again is.
    tell(1);
    expect([...swarm.cids]).toEqual(left);
    memory.sessions.join(daemon(2), swarm);
    expect([...swarm.cids]).toEqual([...left, '2']);
  });

  it('no more than one swarm of 50,000 at a time', async () => {
    memory = await Memory.open();
    for (const name of ['a', 'b']) {
      const swarm = memory.tasks.obtain(digestOf(contentOf(`/${name}`)));
      jest.spyOn(swarm, 'size', 'get').mockReturnValue(50_000);
    }
    memory.at(IDLE_TASK);
    expect(memory.tasks.size).toBe(1);
    memory.at(IDLE_TASK);
    expect(memory.tasks.size).toBe(0);
  });

  it('the tasks of too many that were wanted the longest ago', async () => {
    memory = await Memory.open({ tasks: 3 });
    const ids: string[] = [];
    const blobs = ['a', 'b', 'c', 'd', 'e'].map((name) => digestOf(contentOf(`/${name}`)));
    for (const blob of blobs) {
      ids.push(blob);
      const swarm = memory.tasks.obtain(blob);
      memory.sessions.join({ cid: 'daemon', ip: '127.0.0.1', port: 1 }, swarm);
      memory.tasks.obtain(blobs[0] ?? blob);
    }
    expect(ids.filter((blob) => memory.tasks.find(blob as Digest) !== undefined)).toEqual([
      blobs[0],
      blobs[3],
      blobs[4],
    ]);
  });

  it('the files of original clients, too, when there are too many', async () => {
    memory = await Memory.open({ tasks: 2 });
    const ids: string[] = [];
    for (const name of ['a', 'b', 'a', 'c']) ids.push((await memory.register(name)).taskId);
    expect(memory.tasks.size).toBe(2);
    // The client of the second is told to register again.
    expect(await Promise.all(ids.map((id) => memory.ask(id)))).toEqual([601, 605, 601, 601]);
  });

  it('nothing that is under way: more is refused, to original clients and to daemons', async () => {
    memory = await Memory.open({ tasks: 1 });
    const held = registration('held', 'a', 20_000);
    expect((await memory.classic.register(held.request, 0)).code).toBe(200);
    const daemon = (name: string): ClassicAnswer => {
      const blob: BlobId = `task:${registration(name, 'd', 20_000).taskId}`;
      const native = { versions: [NATIVE_VERSION], blob, without: [] };
      return memory.registrar.registerNative({ ...registration(name, 'd', 20_000).request, native }, blob);
    };
    for (const answer of [await memory.classic.register(registration('b', 'a', 20_000).request, 0), daemon('b')]) {
      expect(answer).toEqual({ code: 500, msg: expect.stringMatching(/^the supernode has more under way/) as string });
    }
    expect([memory.tasks.size, memory.opened]).toEqual([1, 1]);
    expect((await memory.classic.register({ ...held.request, cid: 'b' }, 0)).code).toBe(200);
    expect(daemon('held').code).toBe(200);
  });

  it('no client for another: those beyond the limit are refused', async () => {
    memory = await Memory.open({ clients: 2 });
    const codes = [];
    for (const cid of ['a', 'b', 'b', 'c']) codes.push((await memory.register('file', cid)).code);
    expect(codes).toEqual([200, 200, 200, 500]);
    memory.at(IDLE_CLIENT);
    expect((await memory.register('file', 'c')).code).toBe(200);
  });
});

describe('memory is bounded', () => {
  it('for task ids: the latest are kept', () => {
    const aliases = new ClassicAliases(2);
    aliases.add('a', 'task:a');
    aliases.add('b', 'task:b');
    aliases.add('a', 'task:a');
    aliases.add('c', 'task:c');
    expect(['a', 'b', 'c'].map((id) => aliases.blobOf(id))).toEqual(['task:a', undefined, 'task:c']);
  });

  it('for clients: whatever they do, each is forgotten, once, within 3 minutes of its last word', () => {
    const step = fc.record({
      cid: fc.constantFrom('a', 'b', 'c'),
      what: fc.constantFrom('came', 'heard', 'left'),
      after: fc.integer({ min: 0, max: IDLE_CLIENT }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const presence = new ClassicPresence();
        const last = new Map<string, number>();
        let now = 0;
        for (const { cid, what, after } of steps) {
          now += after;
          for (const gone of presence.gone(now)) {
            expect(last.delete(gone)).toBe(true);
          }
          for (const heard of last.values()) expect(now - heard).toBeLessThan(IDLE_CLIENT);
          if (what === 'came' || (what === 'heard' && last.has(cid))) last.set(cid, now);
          if (what === 'came') presence.came(cid, now);
          else if (what === 'heard') presence.heard(cid, now);
          else presence.left(cid, now);
        }
        presence.gone(now + IDLE_CLIENT);
        expect(presence.gone(Infinity)).toEqual([]);
      }),
    );
  });

  it('for placement: what is forgotten leaves nothing behind for the others', () => {
    const placement = new ClassicPlacement();
    const held = BlockSet.of([0, 1, 2]);
    const question = { held, count: 3, now: 0, seed: 1 };
    for (const cid of ['a', 'b']) placement.tell({ type: 'register', cid, serves: true });
    for (const piece of held) placement.tell({ type: 'stored', cid: 'a', piece });
    const sources = (): unknown => {
      const decision = placement.ask({ ...question, cid: 'b' });
      return decision.kind === 'fetch' ? decision.pieces.map(({ from }) => from) : decision.kind;
    };
    expect(sources()).toEqual(['a', 'a', 'a']);
    placement.tell({ type: 'forget', cid: 'a' });
    expect(placement.ask({ ...question, cid: 'a' })).toEqual({ kind: 'unknown' });
    expect(sources()).toEqual([undefined, undefined, undefined]);
  });
});
