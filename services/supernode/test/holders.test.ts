import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';

import { OriginError } from '@cdk8s-dragonfly/origin';
import type { OriginAnswer, OriginRequest } from '@cdk8s-dragonfly/origin';
import type { Neighbour } from '@cdk8s-dragonfly/protocol';
import { BlobStore, StoredBlob, Unstorable } from '@cdk8s-dragonfly/store';

import { HolderRoads } from '../src/holders/holders';
import { OriginTurns } from '../src/tasks/origin-turns';
import type { OriginTurn } from '../src/tasks/origin-turns';
import { Task } from '../src/tasks/task';
import type { TaskSource } from '../src/tasks/task';
import { Content, HoldingDaemon } from './holding-daemon';

const MIB = 1024 * 1024;

describe('the daemons that hold a blob', () => {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const content = new Content(6 * MIB + 1);
  const url = new URL(`http://origin.example/v2/a/blobs/${content.blob}`);
  const withToken = (token: string): TaskSource => ({ url, headers: [['Authorization', token]] });
  let home: string;
  let store: BlobStore;
  let roads: HolderRoads;
  let daemons: HoldingDaemon[];
  /** What the origin was asked for: from which byte, to which. */
  let asked: (readonly [number, number | undefined])[];
  /** What the origin does with a request; undefined: it gives the blob. */
  let origin: (request: OriginRequest) => Promise<void>;
  let task: Task;
  let turns: OriginTurns;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'supernode-holders-'));
    store = await BlobStore.open(home);
    roads = new HolderRoads();
    turns = new OriginTurns();
    daemons = [];
    asked = [];
    origin = () => Promise.resolve();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await task.stop();
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    await roads.stop();
    await store.stop();
    await rm(home, { recursive: true });
  });

  const daemon = async (blocks: readonly number[], of = content): Promise<HoldingDaemon> => {
    const started = await HoldingDaemon.start(of, key, blocks);
    daemons.push(started);
    return started;
  };
  const taskFor = (holders: readonly Neighbour[], { blob, bytes } = content): Task => {
    const open = async (request: OriginRequest): Promise<OriginAnswer> => {
      const { from = 0, end } = request;
      asked.push([from, end]);
      await origin(request);
      const [status, size, acceptsRanges] = [206, bytes.length, true] as const;
      const body = Readable.from([bytes.subarray(from, end)]);
      return { status, size, from, acceptsRanges, finalHost: url.host, body, discard: () => undefined };
    };
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
    return new Task(blob, { origin: { open }, turns, store, key, roads, log, holdersOf: () => holders });
  };
  const ended = async (): Promise<string> =>
    new Promise((resolve) => {
      task.watch(() => (['complete', 'failed'].includes(task.state) ? resolve(task.state) : undefined));
    });

  it.each(['are gone', 'have lost it'])('are asked, though 16 that are known before them %s', async (why) => {
    const useless: Neighbour[] = [];
    for (let at = 0; at < 16; at += 1) {
      if (why === 'are gone') {
        const server = createServer().listen(0, '127.0.0.1');
        await once(server, 'listening');
        useless.push({ cid: `gone-${at}`, ip: '127.0.0.1', port: (server.address() as AddressInfo).port });
        server.close();
        await once(server, 'close');
      } else useless.push((await daemon([])).neighbour);
    }
    task = taskFor([...useless, (await daemon(content.from(0))).neighbour]);
    const done = ended();
    task.want({ url, headers: [] });
    expect(await done).toBe('complete');
    expect(asked).toEqual([]);
  });

  it('are asked on when the origin has refused the credentials of the first client, and has those of another', async () => {
    const first = 8;
    const holder = await daemon(content.from(first));
    const gate: { open?: () => void } = {};
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    // The last tells how long the blob is.
    holder.gate = (index) => (index === content.count - 1 ? Promise.resolve() : opened);
    task = taskFor([]);
    const done = ended();
    task.want(withToken('bad'), { resuming: holder.neighbour });
    task.want(withToken('good'));
    origin = ({ headers }) => {
      if (headers.some(([, token]) => token === 'bad'))
        return Promise.reject(new OriginError('status', 'it answered 401', { status: 401 }));
      gate.open?.();
      return Promise.resolve();
    };
    expect(await done).toBe('complete');
    const { offset } = content.grid.span(first);
    expect(asked).toEqual([
      [0, offset],
      [0, offset],
    ]);
    expect(new Set(holder.asked)).toEqual(new Set(content.from(first)));
  });

  it('bring it at the next try, when the disk did not take a block at the first', async () => {
    const holder = await daemon(content.from(0));
    task = taskFor([holder.neighbour]);
    const clock = performance.now.bind(performance);
    let passed = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => clock() + passed);
    const full = jest.spyOn(StoredBlob.prototype, 'write').mockRejectedValue(new Unstorable('the disk is full'));
    const failed = ended();
    task.want({ url, headers: [] });
    expect(await failed).toBe('failed');
    full.mockRestore();
    // For so long it is not tried.
    passed += 5000;
    const done = ended();
    task.want({ url, headers: [] });
    expect(await done).toBe('complete');
    expect(asked).toEqual([]);
  });

  describe('while its turn to ask the origin has not come', () => {
    let other: OriginTurn;
    let waits: Promise<void>;
    beforeEach(() => {
      turns = new OriginTurns({ each: 1 });
      other = turns.ask(url.host, () => undefined);
      const ask = turns.ask.bind(turns);
      waits = new Promise((resolve) => {
        jest.spyOn(turns, 'ask').mockImplementation((...of) => {
          resolve();
          return ask(...of);
        });
      });
    });

    it('bring it, and the turn is left to others', async () => {
      const holder = await daemon(content.from(0));
      task = taskFor([]);
      const done = ended();
      task.want({ url, headers: [] });
      await waits;
      expect([task.state, turns.waiting]).toEqual(['waiting', 1]);
      task.addHolder(holder.neighbour);
      expect(await done).toBe('complete');
      expect([asked, turns.running, turns.waiting]).toEqual([[], 1, 0]);
    });

    it('are none, and it is asked when that has come', async () => {
      task = taskFor([]);
      const done = ended();
      task.want({ url, headers: [] });
      await waits;
      expect([task.state, asked, turns.waiting]).toEqual(['waiting', [], 1]);
      other.end();
      expect(await done).toBe('complete');
      expect([asked, turns.running, turns.waiting]).toEqual([[[0, undefined]], 0, 0]);
    });

    it('are none, and it is given up', async () => {
      task = taskFor([]);
      task.want({ url, headers: [] });
      await waits;
      await task.stop();
      expect([asked, turns.running, turns.waiting]).toEqual([[], 1, 0]);
    });
  });

  describe('and what they tell of its length', () => {
    const even = new Content(content.grid.span(16).offset);
    const fetched = async (): Promise<unknown> => {
      const done = ended();
      task.want({ url, headers: [] });
      return [await done, task.stored?.size];
    };

    it('is asked of the origin when the last block cannot show it, being as long as others', async () => {
      const holder = await daemon(even.from(0), even);
      task = taskFor([holder.neighbour], even);
      expect(await fetched()).toEqual(['complete', even.bytes.length]);
      expect([asked, holder.asked.length]).toEqual([[[0, 1]], even.count]);
    });

    it('is not needed when they have all and the origin does not answer', async () => {
      task = taskFor([(await daemon(even.from(0), even)).neighbour], even);
      origin = () => Promise.reject(new OriginError('unreachable', 'nobody is there'));
      expect(await fetched()).toEqual(['complete', even.bytes.length]);
      expect(asked).toEqual([[0, 1]]);
    });

    it.each([
      ['the first', even],
      ['the first, and the last block shows how long it is', content],
    ])(
      'is asked of the origin when %s tells of pieces of another size, and the others bring all',
      async (_what, of) => {
        const liar = await daemon(of.from(0), of);
        liar.pieceSize = 5 * MIB;
        liar.gate = () => new Promise(() => undefined);
        task = taskFor([liar.neighbour, (await daemon(of.from(0), of)).neighbour], of);
        expect(await fetched()).toEqual(['complete', of.bytes.length]);
        expect(asked.every(([from, end]) => from === 0 && end === 1)).toBe(true);
      },
    );

    it('is asked of the origin when nobody has the last block', async () => {
      const first = 4;
      task = taskFor([(await daemon([...Array(first).keys()])).neighbour]);
      expect(await fetched()).toEqual(['complete', content.bytes.length]);
      expect(asked).toEqual([
        [0, 1],
        [content.grid.span(first).offset, undefined],
      ]);
    });
  });
});
