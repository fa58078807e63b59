import { mayUseCid, provableCid, sessionQuery } from '../src';

describe("a daemon's name", () => {
  const cid = provableCid('10.0.0.1-7-1795406219.563', 'secret');

  it('is one that a session takes', () => {
    expect(sessionQuery.parse({ cid, ip: '10.0.0.1', port: '15001' }).cid).toBe(cid);
    expect(cid).toMatch(/^10\.0\.0\.1-7-1795406219\.563~[0-9a-f]{32}$/);
    expect(cid).not.toContain('secret');
  });

  it('can be used with its key alone', () => {
    expect(mayUseCid(cid, 'secret')).toBe(true);
    for (const key of [undefined, '', 'Secret', ['secret'], cid.slice(-32)]) expect(mayUseCid(cid, key)).toBe(false);
    expect(mayUseCid(provableCid('10.0.0.1-7-1795406219.563', 'other'), 'secret')).toBe(false);
  });

  it('of a daemon of before, and of an original client, has nothing to prove', () => {
    expect(mayUseCid('10.0.0.1-7-1795406219.563', undefined)).toBe(true);
    expect(mayUseCid(`${cid}-3`, undefined)).toBe(true);
  });
});
