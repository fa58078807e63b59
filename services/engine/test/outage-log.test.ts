import { OutageLog } from '../src/links/outage-log';

describe('the outage of a supernode', () => {
  const lines: [string, string, object][] = [];
  const entry =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push([level, message, fields]);
  let now = 0;
  const log = new OutageLog({ debug: entry('debug'), info: entry('info'), warn: entry('warn') }, () => now);
  const told = (): [string, string, object][] => lines.splice(0).filter(([level]) => level !== 'debug');

  it('is told once, once a minute, and once when it is over, for each supernode', () => {
    log.took('a');
    expect(told()).toEqual([]);
    for (; now < 59_000; now += 1000) log.failed('a', 'it is gone');
    log.failed('b', 'it hangs');
    const begins = 'a supernode did not take a download, which goes on from neighbours and the registry';
    expect(told()).toEqual([
      ['warn', begins, { supernode: 'a', why: 'it is gone' }],
      ['warn', begins, { supernode: 'b', why: 'it hangs' }],
    ]);
    now = 60_000;
    log.failed('a', 'it hangs');
    log.failed('a', 'it hangs');
    expect(told()).toEqual([
      ['warn', 'a supernode still takes no downloads', { supernode: 'a', why: 'it hangs', seconds: 60, tries: 60 }],
    ]);
    now = 72_340;
    log.took('a');
    log.took('a');
    expect(told()).toEqual([
      ['info', 'a supernode takes downloads again', { supernode: 'a', seconds: 72.3, tries: 61 }],
    ]);
    log.failed('a', 'it is gone');
    expect(told()).toEqual([['warn', begins, { supernode: 'a', why: 'it is gone' }]]);
  });

  it('is told once a minute and reason where downloads are taken in between', () => {
    for (const end = now + 59_000; now < end; now += 1000) {
      log.failed('c', 'refused with code 607');
      log.took('c');
    }
    expect(told().map(([level]) => level)).toEqual(['warn', 'info']);
    log.failed('c', 'it is gone');
    log.took('c');
    now += 60_000;
    log.failed('c', 'it is gone');
    expect(told().map(([level]) => level)).toEqual(['warn', 'info', 'warn']);
  });
});
