import type { BlobId } from '@cdk8s-dragonfly/protocol';

import { parseOrder } from '../../src/preheat/order';
import type { PreheatOrder } from '../../src/preheat/order';
import { Preheats } from '../../src/preheat/preheats';
import type { PreheatTools } from '../../src/preheat/preheat';
import type { Task } from '../../src/tasks/task';

/** Tasks that a test ends itself. */
class HeldTasks {
  readonly wanted: BlobId[] = [];
  private readonly states = new Map<BlobId, { state: string; watchers: Set<() => void> }>();

  find(): undefined {
    return undefined;
  }

  obtain(blob: BlobId): { task: Task } {
    const held = { state: 'waiting', watchers: new Set<() => void>() };
    this.states.set(blob, held);
    const task = {
      get state() {
        return held.state;
      },
      want: () => this.wanted.push(blob),
      watch: (watcher: () => void) => {
        held.watchers.add(watcher);
        return () => held.watchers.delete(watcher);
      },
    };
    return { task: task as unknown as Task };
  }

  /** Completes the task that was wanted as number `index`. */
  async end(index: number): Promise<void> {
    await turn();
    const held = this.states.get(this.wanted[index] ?? 'task:none');
    if (held === undefined) throw new Error(`nothing was wanted as number ${index}`);
    held.state = 'complete';
    for (const watcher of held.watchers) watcher();
    await turn();
  }
}

/** What is begun in this turn of the event loop has begun. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function fileOrder(name: string, more: object = {}): PreheatOrder {
  const parsed = parseOrder(JSON.stringify({ type: 'file', url: `http://origin.test/${name}`, ...more }));
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.order;
}

describe('the list of preheats', () => {
  let tasks: HeldTasks;
  let preheats: Preheats;
  const unused = { open: () => Promise.reject(new Error('not asked')) };
  const log = { info: () => undefined, warn: () => undefined };

  beforeEach(() => {
    tasks = new HeldTasks();
    const tools: PreheatTools = { tasks, remote: undefined, origin: unused, tokenServers: unused, log };
    preheats = new Preheats(tools, { most: 3, running: 1, keep: 3_600_000 });
  });
  afterEach(() => preheats.stop());

  const states = (): string[] => preheats.all().map(({ status }) => status);

  it('runs so many at once, the others in their order, and those that another replica waits for at once', async () => {
    const [a, b, c] = [fileOrder('a'), fileOrder('b'), fileOrder('c', { here: true })];
    expect([a, b, c].map((order) => preheats.order(order))).toEqual(['taken', 'taken', 'taken']);
    expect(states()).toEqual(['RUNNING', 'WAITING', 'RUNNING']);
    await turn();
    expect(tasks.wanted).toEqual([`task:${a.id}`, `task:${c.id}`]);
    await tasks.end(1);
    expect(states()).toEqual(['RUNNING', 'WAITING', 'SUCCESS']);
    await tasks.end(0);
    expect(states()).toEqual(['SUCCESS', 'RUNNING', 'SUCCESS']);
  });

  it('takes no more than it may remember, and forgets finished ones for new ones', async () => {
    const orders = ['a', 'b', 'c', 'd', 'e'].map((name) => fileOrder(name));
    expect(orders.slice(0, 4).map((order) => preheats.order(order))).toEqual(['taken', 'taken', 'taken', 'full']);
    const [a, , , d] = orders;
    if (a === undefined || d === undefined) throw new Error('no orders');
    await tasks.end(0);
    expect(preheats.order(a)).toBe('taken');
    expect(preheats.find(a.id)?.status).toBe('WAITING');
    expect(preheats.order(d)).toBe('full');
  });

  it('forgets what ended long ago', async () => {
    const order = fileOrder('a');
    preheats.order(order);
    await tasks.end(0);
    expect(preheats.order(order)).toBe('finished');
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 3_600_001);
    try {
      expect(preheats.find(order.id)).toBeUndefined();
      expect(preheats.order(order)).toBe('taken');
    } finally {
      clock.mockRestore();
    }
  });

  it('does not begin what was deleted while it waited, and ends what runs', async () => {
    const [a, b] = [fileOrder('a'), fileOrder('b')];
    preheats.order(a);
    preheats.order(b);
    await turn();
    expect([preheats.remove(b.id), preheats.remove(a.id), preheats.remove(a.id)]).toEqual([true, true, false]);
    await turn();
    expect(tasks.wanted).toEqual([`task:${a.id}`]);
    expect(preheats.order(fileOrder('c'))).toBe('taken');
    await turn();
    expect(tasks.wanted).toHaveLength(2);
  });

  it('ends all of them when the supernode stops', async () => {
    const order = fileOrder('a');
    preheats.order(order);
    await preheats.stop();
    const errMsg = 'the supernode is stopping';
    const blobs = [{ digest: `task:${order.id}`, bytes: 0, state: 'FAILED', errMsg }];
    expect(preheats.find(order.id)).toMatchObject({ status: 'FAILED', errMsg, blobs });
  });
});
