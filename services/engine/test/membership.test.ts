import { generateKeyPairSync } from 'node:crypto';

import type { Intake } from '../src/download/intake';
import { Membership } from '../src/download/membership';
import type { Member } from '../src/download/membership';
import type { DownloadTools } from '../src/download/tools';
import { LinkFailure } from '../src/links/failure';

const blob = `sha256:${'0'.repeat(64)}` as const;
const { publicKey } = generateKeyPairSync('ed25519');
const BLOCKS = new URL('http://127.0.0.1:9');

/** A membership whose supernode answers each join when the test says so. */
class Joining {
  /** The places that were left, and how many joins there had been when the member was told of one. */
  readonly left: string[] = [];
  readonly joined: number[] = [];
  /** Resolves at the second join. */
  readonly again: Promise<void>;
  /** Resolves at the third. */
  readonly onceMore: Promise<void>;
  /** Resolves when the member is told. */
  readonly takenIn: Promise<void>;
  readonly membership: Membership;
  private readonly answers: ((name: string) => void)[] = [];

  constructor() {
    const { left, joined, answers } = this;
    const asked: { again?: () => void; onceMore?: () => void } = {};
    this.again = new Promise<void>((resolve) => (asked.again = resolve));
    this.onceMore = new Promise<void>((resolve) => (asked.onceMore = resolve));
    const supernodes = {
      silentSince: undefined,
      join: () =>
        new Promise((resolve) => {
          answers.push((name) =>
            resolve({
              link: { leave: () => left.push(name) },
              joined: { kind: 'joined', blocks: BLOCKS, key: publicKey },
            }),
          );
          if (answers.length === 2) asked.again?.();
          if (answers.length === 3) asked.onceMore?.();
        }),
    };
    const intake = {
      request: { blob, url: new URL('http://127.0.0.1:9/'), headers: [] },
      stored: () => undefined,
      finished: () => false,
      fail: (error: unknown) => {
        throw error;
      },
    } as unknown as Intake;
    const tools = { clock: { now: 0 }, log: { debug: () => undefined }, supernodes, timeouts: { busy: 8000 } };
    const taken: { resolve?: () => void } = {};
    this.takenIn = new Promise<void>((resolve) => (taken.resolve = resolve));
    const member = {
      joined: () => {
        joined.push(answers.length);
        taken.resolve?.();
      },
    } as unknown as Member;
    this.membership = new Membership(intake, tools as unknown as DownloadTools, member);
  }

  /** The supernode takes us in. @param join the first is 0. @param name of the place that it gives. */
  answer(join: number, name: string): void {
    this.answers[join]?.(name);
  }
}

describe('a place at a supernode', () => {
  it('that was lost while the supernode took us in is taken anew: what it said in between was not heard', async () => {
    const joining = new Joining();
    const { membership } = joining;
    const first = membership.join();
    membership.lost(new LinkFailure('hung', 'it stood still'));
    await joining.again;
    joining.answer(0, 'the place that was lost');
    expect(await first).toBe(false);
    expect(joining.joined).toEqual([]);
    joining.answer(1, 'the place taken anew');
    await joining.takenIn;
    expect(joining.joined).toEqual([2]);
    membership.leave();
    expect(joining.left).toEqual(['the place that was lost', 'the place taken anew']);
  });

  it('that comes when another was taken in its stead is left at once, and the other is kept', async () => {
    const joining = new Joining();
    const { membership } = joining;
    const first = membership.join();
    membership.lost(new LinkFailure('hung', 'it stood still'));
    await joining.again;
    joining.answer(1, 'the place taken anew');
    await joining.takenIn;
    joining.answer(0, 'the place that was lost');
    expect(await first).toBe(true);
    expect(joining.left).toEqual(['the place that was lost']);
    membership.leave();
    expect(joining.left).toEqual(['the place that was lost', 'the place taken anew']);
    expect(joining.joined).toEqual([2]);
  });

  it('that was lost once more while another was sought is sought again: the one that was there before is no other', async () => {
    const joining = new Joining();
    const { membership } = joining;
    const first = membership.join();
    joining.answer(0, 'the first place');
    expect(await first).toBe(true);
    membership.lost(new LinkFailure('gone', 'it stops'));
    await joining.again;
    membership.lost(new LinkFailure('gone', 'it is there no more'));
    joining.answer(1, 'the place that was lost');
    await joining.onceMore;
    joining.answer(2, 'the place taken anew');
    await new Promise((resolve) => setImmediate(resolve));
    expect(joining.joined).toEqual([1, 3]);
    membership.leave();
    expect(joining.left.slice(-2)).toEqual(['the place that was lost', 'the place taken anew']);
  });

  it('that another supernode gives, when we register again, takes the place of the first', async () => {
    const joining = new Joining();
    const { membership } = joining;
    const first = membership.join();
    joining.answer(0, 'the first place');
    expect(await first).toBe(true);
    const second = membership.join();
    joining.answer(1, 'the second place');
    expect(await second).toBe(true);
    expect(joining.left).toEqual(['the first place']);
    membership.leave();
    expect(joining.left).toEqual(['the first place', 'the second place']);
  });
});
