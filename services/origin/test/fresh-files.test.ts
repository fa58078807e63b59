import { renameSync, writeFileSync } from 'node:fs';
import { FreshFiles } from '../src';
import { usePem } from './pem-files';

const { pem } = usePem();

/** Two files whose texts have to be alike. */
class Alike {
  readonly paths = [pem('a'), pem('a')] as const;
  readonly said: [string, unknown][] = [];
  private now = 0;
  private readonly log = {
    debug: (): void => undefined,
    warn: (message: string, fields?: object): void => void this.said.push([message, fields]),
  };
  private readonly files = new FreshFiles({
    paths: this.paths,
    parse: (one: string, other: string) => {
      if (one !== other) throw new Error(`${one} is not ${other}`);
      return { text: one };
    },
    log: this.log,
    now: () => this.now,
  });

  /** What they say after so many milliseconds. */
  after(milliseconds: number): { text: string } {
    this.now += milliseconds;
    return this.files.get();
  }
}

const FORMER = 'changed files cannot be used; what they said before counts';

describe('files that may change', () => {
  it('are looked at once a second, and count together', () => {
    const files = new Alike();
    const [one, other] = files.paths;
    const first = files.after(5000);
    expect(first).toEqual({ text: 'a' });
    writeFileSync(one, 'bb');
    writeFileSync(other, 'bb');
    expect(files.after(999)).toBe(first);
    const second = files.after(1);
    expect(second).toEqual({ text: 'bb' });
    expect(files.after(1000)).toBe(second);
    expect(files.said).toEqual([['changed files are used as they are now', { files: files.paths }]]);
  });

  it('of which one has changed are as they were until the other follows, which is said once', () => {
    const files = new Alike();
    const [one, other] = files.paths;
    writeFileSync(one, 'bb');
    expect([files.after(1000), files.after(1000)]).toEqual([{ text: 'a' }, { text: 'a' }]);
    expect(files.said).toEqual([[FORMER, { files: files.paths, why: 'bb is not a' }]]);
    writeFileSync(other, 'bb');
    expect(files.after(1000)).toEqual({ text: 'bb' });
  });

  it('of which one is gone for a while are as they were, which is said each time that it goes', () => {
    const files = new Alike();
    const [one] = files.paths;
    const gone = [FORMER, { files: files.paths, why: expect.stringMatching(`ENOENT.*${one}`) as string }];
    for (const times of [1, 2]) {
      renameSync(one, `${one}.kept`);
      expect([files.after(1000), files.after(1000)]).toEqual([{ text: 'a' }, { text: 'a' }]);
      renameSync(`${one}.kept`, one);
      expect(files.after(1000)).toEqual({ text: 'a' });
      expect(files.said).toEqual(Array.from({ length: times }, () => gone));
    }
  });
});
