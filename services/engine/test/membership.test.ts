import { generateKeyPairSync } from 'node:crypto';

import type { Intake } from '../src/download/intake';
import { Membership } from '../src/download/membership';
import type { Member } from '../src/download/membership';
import type { DownloadTools } from '../src/download/tools';
import { LinkFailure } from '../src/links/failure';

const blob = `sha256:${'0'.repeat(64)}` as const;
const { publicKey } = generateKeyPairSync('ed25519');
const BLOCKS = new URL('http://127.0.0.1:9');

describe('a place at a supernode', () => {
  it('that was lost while the supernode took us in is taken anew: what it said in between was not heard', async () => {
    const left: string[] = [];
    const joined: number[] = [];
    const answers: ((name: string) => void)[] = [];
    const asked: { again?: () => void } = {};
    const again = new Promise<void>((resolve) => (asked.again = resolve));
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
    const takenIn = new Promise<void>((resolve) => (taken.resolve = resolve));
    const member = {
      joined: () => {
        joined.push(answers.length);
        taken.resolve?.();
      },
    } as unknown as Member;
    const membership = new Membership(intake, tools as unknown as DownloadTools, member);

    const first = membership.join();
    membership.lost(new LinkFailure('hung', 'it stood still'));
    await again;
    answers[0]?.('the place that was lost');
    expect(await first).toBe(false);
    expect(joined).toEqual([]);
    answers[1]?.('the place taken anew');
    await takenIn;
    expect(joined).toEqual([2]);
    membership.leave();
    expect(left).toEqual(['the place taken anew']);
  });
});
