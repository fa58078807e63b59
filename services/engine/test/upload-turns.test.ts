import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { noTraffic } from '../src/node/traffic';
import { ORIGINAL_WAITS, UploadTurns } from '../src/node/upload-turns';

const MIB = 1024 * 1024;

/** Works without a pause, as a node does that is short of CPU. */
function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('turns of neighbours', () => {
  const { signal } = new AbortController();
  const cut = (): void => undefined;

  it('come behind own pulls where the event loop has no time left, and freely when those are over', async () => {
    const own = noTraffic();
    // This process has the CPU all the time, whatever else the machine does.
    const turns = new UploadTurns(own, undefined, () => performance.now());
    let given = 0;
    let ended = false;
    const neighbours = Array.from({ length: 8 }, async (_, index) => {
      while (!ended) {
        const done = await turns.take(`10.0.0.${index}`, signal, cut);
        if (done !== undefined) given += 1;
        done?.(MIB);
        await nextTurn();
      }
    });
    const pull = async (rounds: number): Promise<{ readonly given: number; readonly fair: number }> => {
      const began = { at: performance.now(), own: own.peer, given };
      let stalls = 0;
      for (let round = 0; round < rounds; round += 1) {
        const at = performance.now();
        burn(4);
        own.peer += MIB / 8;
        await nextTurn();
        if (performance.now() > at + 100) stalls += 1;
      }
      // Where others have kept this process from the CPU for long, nothing is held back from any of the neighbours.
      const fair = (own.peer - began.own) / MIB + (performance.now() - began.at) / 50 + stalls * neighbours.length;
      return { given: given - began.given, fair };
    };
    // Whether it is short of time shows after a moment only.
    await pull(15);
    const beside = await pull(60);
    expect(beside.given).toBeGreaterThan(4);
    // What was saved, and what was given before the event loop had no time left; freely they would get a hundred times as much.
    expect(beside.given).toBeLessThanOrEqual(2 * beside.fair + 4);
    const before = given;
    const over = performance.now();
    while (given < before + 500 && performance.now() < over + 10_000) await nextTurn();
    expect(given).toBeGreaterThanOrEqual(before + 500);
    ended = true;
    await Promise.all(neighbours);
  });

  it('to read from disk come two at a time', async () => {
    const turns = new UploadTurns(noTraffic());
    const ends: (() => void)[] = [];
    const read = (): Promise<void> => turns.reading(() => new Promise<void>((resolve) => ends.push(resolve)));
    const reads = [read(), read(), read()];
    await nextTurn();
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await reads[0];
    await nextTurn();
    expect(ends).toHaveLength(3);
    for (const end of ends) end();
    await Promise.all(reads);
  });

  it('are soon refused to a daemon, which has others to ask, and are waited for by an original client', async () => {
    const turns = new UploadTurns(noTraffic(), { atOnce: 1, patience: 10_000 });
    const done = await turns.take('10.0.0.1', signal, cut);
    const original = turns.take('10.0.0.2', signal, cut, ORIGINAL_WAITS);
    expect(await turns.take('10.0.0.3', signal, cut)).toBeUndefined();
    done?.(MIB);
    expect(await original).toBeDefined();
  });

  it('end for who goes away', async () => {
    const turns = new UploadTurns(noTraffic(), { atOnce: 1, patience: 10_000 });
    const done = await turns.take('10.0.0.1', signal, cut);
    const leaving = new AbortController();
    const gone = turns.take('10.0.0.2', leaving.signal, cut);
    leaving.abort(new Error('gone'));
    await expect(gone).rejects.toThrow('gone');
    done?.(MIB);
    expect(await turns.take('10.0.0.3', signal, cut)).toBeDefined();
  });
});
