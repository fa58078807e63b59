import { getEventListeners } from 'node:events';

import { FirstOf } from '../src/links/first-of';

describe('the first of several signals', () => {
  it('aborts with its reason, also when that was before', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const before = new FirstOf(one.signal, undefined, other.signal);
    expect(before.signal.aborted).toBe(false);
    const reason = new Error('the other');
    other.abort(reason);
    one.abort(new Error('too late'));
    expect([before.signal.reason, new FirstOf(other.signal).signal.reason]).toEqual([reason, reason]);
  });

  it('leaves nothing behind in them', () => {
    const { signal } = new AbortController();
    const first = new FirstOf(signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    first.end();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
