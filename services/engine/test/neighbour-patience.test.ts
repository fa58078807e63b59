import { NeighbourPatience } from '../src/links/neighbour-patience';

const SILENCE = 160;

/** Waits for the neighbours to be lost; tells after how long each stream was, in ms. */
class Streams {
  readonly lost = new Map<string, number>();
  private readonly began = performance.now();
  private readonly patience = new NeighbourPatience(SILENCE);
  private readonly waiting: (() => void)[] = [];

  open(neighbour: string, stream: string): { renew(): void; end(): void } {
    return this.patience.with(neighbour, () => {
      this.lost.set(stream, performance.now() - this.began);
      for (const done of this.waiting) done();
    });
  }

  async untilLost(...streams: string[]): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (streams.every((stream) => this.lost.has(stream))) resolve();
      };
      this.waiting.push(look);
      look();
    });
  }
}

describe('patience with a neighbour', () => {
  it('is renewed by what any of its streams brings, and ends for all of them at once', async () => {
    const streams = new Streams();
    streams.open('a', 'a1');
    const second = streams.open('a', 'a2');
    streams.open('b', 'b1');
    const heard = setInterval(() => second.renew(), 20);
    await streams.untilLost('b1');
    expect([...streams.lost.keys()]).toEqual(['b1']);
    clearInterval(heard);
    await streams.untilLost('a1', 'a2');
    expect((streams.lost.get('a1') ?? 0) - (streams.lost.get('b1') ?? 0)).toBeGreaterThanOrEqual(SILENCE / 2);
  });

  it('does not concern a stream that has ended, and begins anew with the next', async () => {
    const streams = new Streams();
    streams.open('a', 'ended').end();
    const began = performance.now();
    streams.open('a', 'next');
    await streams.untilLost('next');
    expect(performance.now() - began).toBeGreaterThanOrEqual(SILENCE - 1);
    expect([...streams.lost.keys()]).toEqual(['next']);
  });

  it('passes for all neighbours in the steps of one timer, which is there as long as it is needed', async () => {
    const [begun, ended] = [jest.spyOn(global, 'setInterval'), jest.spyOn(global, 'clearInterval')];
    try {
      const streams = new Streams();
      streams.open('a', 'a');
      const gone = streams.open('gone', 'gone');
      // In the middle of a step.
      await new Promise((resolve) => setTimeout(resolve, 5));
      const began = performance.now();
      streams.open('b', 'b');
      gone.end();
      await streams.untilLost('a');
      expect(ended).not.toHaveBeenCalled();
      await streams.untilLost('b');
      expect(performance.now() - began).toBeGreaterThanOrEqual(SILENCE - 1);
      expect([begun, ended].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    } finally {
      for (const spy of [begun, ended]) spy.mockRestore();
    }
  });
});
