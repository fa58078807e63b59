import { ClassicHolders, MAX_HOLDER_FAILURES } from '../src/classic/classic-holders';
import type { HolderQuestion } from '../src/classic/classic-holders';

const question = (random: number, refused: readonly string[] = []): HolderQuestion => ({
  cid: 'asking',
  piece: 0,
  refused: new Set(refused),
  now: 0,
  random: () => random,
});

/** Clients that have piece 0, in the order of their names. */
function holdersOf(names: readonly string[]): ClassicHolders {
  const holders = new ClassicHolders();
  for (const name of names) holders.add(name, 0);
  return holders;
}

describe('who gives a piece', () => {
  const gone = Array.from({ length: 300 }, (_, index) => `gone-${index}`);

  it('is found behind hundreds of those who are gone, and of those whom the client refused', () => {
    const holders = holdersOf([...gone, 'alive']);
    for (const name of gone) {
      for (let failure = 0; failure < MAX_HOLDER_FAILURES; failure += 1) {
        const upload = { ...question(0), cid: `taker-${failure}` };
        holders.begin(name, upload);
        holders.end(name, upload, 'failed');
      }
    }
    expect(holders.choose(question(0))).toBe('alive');
    expect(holdersOf([...gone, 'alive']).choose(question(0.5, gone))).toBe('alive');
  });
});
