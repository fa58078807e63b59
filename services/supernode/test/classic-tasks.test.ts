import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OriginAnswer } from '@cdk8s-dragonfly/origin';
import { parseRegistryRequest, taskIdOf } from '@cdk8s-dragonfly/protocol';
import type { RegistryRequest } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';

import { ClassicAliases } from '../src/classic/classic-aliases';
import { ClassicTasks } from '../src/classic/classic-tasks';
import { HolderRoads } from '../src/holders/holders';
import { OriginTurns } from '../src/tasks/origin-turns';
import { TaskTable } from '../src/tasks/task-table';

const URL_TEXT = 'http://origin.example/large.bin';
const TASK_ID = taskIdOf({ taskUrl: URL_TEXT });

let home: string;
let tasks: TaskTable;
const roads = new HolderRoads();
let classic: ClassicTasks;
/** Answers the question that the origin was asked. */
let answerOrigin: (answer: OriginAnswer) => void;
/** Ends the body of {@link large}. */
let endBody: (end: IteratorResult<Buffer>) => void;
let body: Promise<IteratorResult<Buffer>>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'supernode-classic-'));
  const store = await BlobStore.open(home);
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const asked = new Promise<OriginAnswer>((resolve) => (answerOrigin = resolve));
  body = new Promise((resolve) => (endBody = resolve));
  const origin = {
    open: async (_request: unknown, signal: AbortSignal): Promise<OriginAnswer> =>
      Promise.race([asked, new Promise<never>((_, reject) => onAbort(signal, reject))]),
  };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  tasks = new TaskTable({ origin, turns: new OriginTurns(), store, key, log, roads }, { send: () => false });
  const advertised = { ip: '10.0.0.1', port: 8001 };
  classic = new ClassicTasks({ tasks, aliases: new ClassicAliases(), advertised, headLimit: 30, log });
});

afterAll(() => roads.stop());

afterEach(async () => {
  classic.stop();
  endBody({ done: true, value: undefined });
  await tasks.stop();
  await rm(home, { recursive: true, force: true });
});

function onAbort(signal: AbortSignal, reject: (reason: Error) => void): void {
  signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
}

function registration(): RegistryRequest {
  const fields = { rawUrl: URL_TEXT, taskUrl: URL_TEXT, cid: 'a', ip: '127.0.0.1', port: 0, path: '/peer/file/a' };
  const parsed = parseRegistryRequest(JSON.stringify(fields));
  if (!parsed.ok) throw new Error(parsed.refusal.msg);
  return parsed.value;
}

/** An answer of 300 MiB, for which pieces are larger, and that brings no byte. */
function large(): OriginAnswer {
  return {
    status: 200,
    size: 300 * 1024 * 1024,
    from: 0,
    acceptsRanges: false,
    finalHost: 'origin.example:80',
    body: { [Symbol.asyncIterator]: () => ({ next: async () => body }) },
    discard: () => undefined,
  };
}

describe('a registration whose origin is slow', () => {
  it('is answered without the length, in time, and the client polls', async () => {
    const answer = await classic.register(registration());
    expect(answer).toMatchObject({ code: 200, data: { taskId: TASK_ID, fileLength: -1, pieceSize: 4 * 1024 * 1024 } });
    expect((await classic.ask(`srcCid=a&status=700&result=502&taskId=${TASK_ID}`)).code).toBe(602);
  });

  it('is to be repeated when the pieces turn out larger', async () => {
    await classic.register(registration());
    const task = tasks.find(`task:${TASK_ID}`)?.task;
    const fetching = new Promise<void>((resolve) => task?.watch(() => resolve()));
    answerOrigin(large());
    await fetching;
    expect(task?.state).toBe('fetching');
    expect((await classic.ask(`srcCid=a&status=700&result=502&taskId=${TASK_ID}`)).code).toBe(605);
    expect(await classic.register(registration())).toMatchObject({
      code: 200,
      data: { fileLength: 300 * 1024 * 1024, pieceSize: 5 * 1024 * 1024 },
    });
    expect((await classic.ask(`srcCid=a&status=700&result=502&taskId=${TASK_ID}`)).code).toBe(602);
  });
});
