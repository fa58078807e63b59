import type { Digest } from '@cdk8s-dragonfly/protocol';

import { HoldingsIndex, MOST_HOLDERS } from '../src/holders/holdings-index';
import type { Holder } from '../src/holders/holdings-index';
import { mayBeAsked } from '../src/holders/may-be-asked';

const blobs = Array.from({ length: 4 }, (_, at): Digest => `sha256:${`${at}`.repeat(64)}`);
const [one, two, three] = blobs as [Digest, Digest, Digest];

function holder(cid: string): Holder {
  return { member: { cid, ip: '10.0.0.1', port: 15_001 }, told: 0, gone: false };
}

const cids = (index: HoldingsIndex, blob: Digest): string[] => index.holdersOf(blob).map(({ cid }) => cid);

describe('who holds what', () => {
  it('is what daemons told, until they are gone', () => {
    const index = new HoldingsIndex();
    const [a, b] = [holder('a'), holder('b')];
    for (const blob of [one, two]) index.add(a, blob);
    index.add(b, two);
    expect([cids(index, one), cids(index, two), cids(index, three)]).toEqual([['a'], ['a', 'b'], []]);
    expect([a.told, b.told]).toEqual([2, 1]);
    a.gone = true;
    expect([cids(index, one), cids(index, two)]).toEqual([[], ['b']]);
    index.forgetIdle();
    expect(index.size).toBe(1);
  });

  it('is bounded for a blob: who is gone makes room, else who told of it longest ago', () => {
    const index = new HoldingsIndex();
    const all = Array.from({ length: MOST_HOLDERS + 2 }, (_, at) => holder(`${at}`));
    const names = (holders: Holder[]): string[] => holders.map(({ member }) => member.cid);
    for (const each of all.slice(0, MOST_HOLDERS)) index.add(each, one);
    index.add(all[0]!, one);
    index.add(all[MOST_HOLDERS]!, one);
    const left = [...all.slice(2, MOST_HOLDERS), all[0]!, all[MOST_HOLDERS]!];
    expect(cids(index, one)).toEqual(names(left));
    left[4]!.gone = true;
    index.add(all[MOST_HOLDERS + 1]!, one);
    expect(cids(index, one)).toEqual(names([...left.slice(0, 4), ...left.slice(5), all[MOST_HOLDERS + 1]!]));
  });

  it('is bounded in all: what was told of longest ago goes', () => {
    const index = new HoldingsIndex(2);
    const a = holder('a');
    for (const blob of [one, two, one, three]) index.add(a, blob);
    expect(blobs.map((blob) => cids(index, blob).length)).toEqual([1, 0, 1, 0]);
  });
});

describe('an address at which a daemon is asked for blocks', () => {
  it.each([
    ['10.1.2.3', '10.9.9.9', true],
    ['fd00::1', 'fd00::2', true],
    ['240.0.0.7', '10.9.9.9', true],
    ['198.18.0.7', '10.9.9.9', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '::ffff:127.0.0.1', true],
    ['127.0.0.1', '10.9.9.9', false],
    ['169.254.169.254', '10.9.9.9', false],
    ['64:ff9b::a9fe:a9fe', '10.9.9.9', false],
    ['fe80::1', '10.9.9.9', false],
    ['0.0.0.0', '10.9.9.9', false],
    ['224.0.0.1', '10.9.9.9', false],
    ['169.254.1.1', undefined, false],
  ])('%s of one seen at %s: %s', (ip, remote, expected) => {
    expect(mayBeAsked(ip, remote)).toBe(expected);
  });
});
