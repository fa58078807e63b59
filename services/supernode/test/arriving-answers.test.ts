import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { ClientRequest, IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { BlockSet, Grid } from '@cdk8s-dragonfly/protocol';
import type { Attestation } from '@cdk8s-dragonfly/protocol';
import { BlockBuffers } from '@cdk8s-dragonfly/store';

import { ArrivingAnswers } from '../src/fronts/arriving-answers';
import { ArrivingBlocks } from '../src/tasks/arriving-blocks';
import type { Task } from '../src/tasks/task';

const MIB = 1024 * 1024;
const attestation: Attestation = { hash: Buffer.alloc(32, 1), signature: Buffer.alloc(64, 2) };
const grid = new Grid(4 * MIB);
const LENGTH = grid.span(0).length;
const buffers = new BlockBuffers();

/** A blob whose first block is arriving. */
function task(size = 2 * MIB): Pick<Task, 'arriving' | 'stored'> {
  const arriving = new ArrivingBlocks(buffers);
  arriving.begin(0, grid.blockCount(size));
  return { arriving, stored: { blob: 'sha256:1', size, held: new BlockSet(), grid } as unknown as Task['stored'] };
}

describe('answers with blocks that arrive', () => {
  const served: number[] = [];
  let answers: ArrivingAnswers;
  let server: Server;
  let tasks: Pick<Task, 'arriving' | 'stored'>[];
  const asked: ClientRequest[] = [];

  beforeEach(async () => {
    served.length = 0;
    tasks = [];
    answers = new ArrivingAnswers((bytes) => served.push(bytes));
    server = createServer((request, response) => {
      const [, number, index] = (request.url ?? '').split('/').map(Number);
      const of = tasks[number ?? -1];
      const isGiven = of !== undefined && answers.give(of, index ?? -1, request, response);
      if (!isGiven) response.writeHead(409).end();
      server.emit('asked', isGiven);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const request of asked.splice(0)) request.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** @returns whether it is given, and the answer when it has come. */
  async function ask(path: string, from: string): Promise<{ given: boolean; answer: Promise<IncomingMessage> }> {
    const { port } = server.address() as AddressInfo;
    const heard = once(server, 'asked') as Promise<[boolean]>;
    const request = get({ host: '127.0.0.1', port, path, localAddress: from, agent: false });
    request.on('error', () => undefined);
    asked.push(request);
    const answer = once(request, 'response').then(([response]) => response as IncomingMessage);
    answer.catch(() => undefined);
    return { given: (await heard)[0], answer };
  }

  it('are so many at a time, in all and for one client, so that slow ones cannot take all memory', async () => {
    tasks = Array.from({ length: 80 }, () => task());
    const given = new Map<string, number>();
    for (let host = 1; host <= 9; host += 1) {
      for (let index = 0; index < 17; index += 1) {
        const path = `/${(host - 1) * 8 + (index >> 1)}/${index % 2}`;
        const from = `127.0.0.${host + 1}`;
        if ((await ask(path, from)).given) given.set(from, (given.get(from) ?? 0) + 1);
      }
    }
    expect([...given.values()]).toEqual(Array.from({ length: 8 }, () => 16));
    // What has ended makes room for another.
    tasks[0]?.arriving.end();
    while (!(await ask('/79/0', '127.0.0.2')).given);
    expect((await ask('/79/1', '127.0.0.2')).given).toBe(true);
    expect((await ask('/78/1', '127.0.0.2')).given).toBe(false);
  });

  it('that were refused get nothing of what still arrives', async () => {
    const of = task();
    tasks = [of];
    const { answer } = await ask('/0/0', '127.0.0.1');
    answers.refuseAll();
    // Before the refusal has gone out.
    of.arriving.grew(0, Buffer.alloc(LENGTH / 2));
    of.arriving.came(0, Buffer.alloc(LENGTH), attestation);
    const { statusCode } = await answer;
    expect(statusCode).toBe(404);
    expect(served).toEqual([]);
  });

  it('give the memory of each part back when it has been passed on, or is not wanted', async () => {
    const back = jest.spyOn(buffers, 'giveBack');
    const taken = jest.spyOn(buffers, 'take');
    try {
      const of = task();
      tasks = [of];
      const bytes = randomBytes(LENGTH);
      const { answer } = await ask('/0/0', '127.0.0.1');
      of.arriving.grew(0, bytes.subarray(0, LENGTH / 2));
      const body: Buffer[] = [];
      const given = await answer;
      for await (const chunk of given as AsyncIterable<Buffer>) {
        if (body.length === 0) of.arriving.came(0, bytes, attestation);
        body.push(chunk);
      }
      expect(Buffer.concat(body).subarray(0, LENGTH).equals(bytes)).toBe(true);
      expect(taken.mock.calls.map(([length]) => length)).toEqual([LENGTH / 2, LENGTH / 2]);
      expect(back.mock.calls.map(([part]) => part.length)).toEqual([LENGTH / 2, LENGTH / 2]);

      const refused = task();
      tasks = [refused];
      await ask('/0/0', '127.0.0.1');
      answers.refuseAll();
      refused.arriving.grew(0, bytes.subarray(0, LENGTH / 2));
      expect(back).toHaveBeenCalledTimes(3);
    } finally {
      back.mockRestore();
      taken.mockRestore();
    }
  });

  it('break off where the block has another length than was told', async () => {
    const of = task(100_000);
    tasks = [of];
    const { answer } = await ask('/0/0', '127.0.0.1');
    of.arriving.grew(0, Buffer.alloc(LENGTH / 2));
    of.arriving.came(0, Buffer.alloc(LENGTH), attestation);
    expect((await answer).statusCode).toBe(404);
    const other = task();
    tasks = [other];
    const short = await ask('/0/0', '127.0.0.1');
    other.arriving.came(0, Buffer.alloc(LENGTH - 1), attestation);
    expect((await short.answer).statusCode).toBe(404);
  });
});
