import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Digest } from '@cdk8s-dragonfly/protocol';
import { BlobStore } from '@cdk8s-dragonfly/store';
import type { BlockProof, StoredBlob } from '@cdk8s-dragonfly/store';

import { Bell } from '../src/download/bell';
import { Doubts } from '../src/download/doubts';
import { Whole } from '../src/download/whole';
import type { WholeView } from '../src/download/whole';

const BLOCK = 256 * 1024;
const LAST = 3;

describe('the check of a whole', () => {
  const { signal } = new AbortController();
  const content = randomBytes((LAST + 1) * BLOCK);
  const blob: Digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const hashed = new EventEmitter();
  let home: string;
  let store: BlobStore;
  let stored: StoredBlob;
  let doubts: Doubts;
  let whole: Whole;
  let refetched: string[];

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'whole-'));
    store = await BlobStore.open(home);
    stored = await store.create(blob, 4 * 1024 * 1024, content.length);
    const bell = new Bell();
    stored.watch(() => bell.ring());
    const lend = stored.lend.bind(stored);
    stored.lend = async (index) => {
      const lent = await lend(index);
      hashed.emit(`${index}`);
      return lent;
    };
    doubts = new Doubts();
    refetched = [];
    const view: WholeView = {
      request: () => ({ blob, url: new URL('http://origin/'), headers: [] }),
      told: () => undefined,
      mayBeTold: () => false,
      isUnvouched: () => false,
      refetch: (reason) => refetched.push(reason),
      lastWord: () => Promise.resolve(undefined),
    };
    whole = new Whole(blob, view, bell, doubts, 1000);
  });
  afterEach(async () => {
    await stored.release();
    await store.stop();
    await rm(home, { recursive: true });
  });

  /** Writes a block as a neighbour gave it, or as the supernode attests it. */
  async function write(index: number, from: 'neighbour' | 'supernode', bytes = blockOf(index)): Promise<void> {
    const hash = createHash('sha256').update(bytes).digest();
    const proof: BlockProof = from === 'neighbour' ? { hash, isDoubtful: true } : { hash, signature: Buffer.alloc(64) };
    await stored.write(index, [bytes], proof);
  }
  const blockOf = (index: number): Buffer => Buffer.from(content.subarray(index * BLOCK, (index + 1) * BLOCK));

  /** Begins a check; it has taken up all blocks but the last when this resolves. */
  async function begin(): Promise<{ readonly isWhole: Promise<boolean> }> {
    for (let index = 0; index < LAST; index += 1) await write(index, 'neighbour');
    const taken = once(hashed, `${LAST - 1}`);
    const isWhole = whole.check(stored, signal).then(() => stored.whole);
    await taken;
    return { isWhole };
  }

  it('does not end before what made room for another block is here again', async () => {
    const { isWhole } = await begin();
    doubts.replace(stored, 0);
    const last = once(hashed, `${LAST}`);
    await write(LAST, 'supernode');
    await last;
    await new Promise(setImmediate);
    await write(0, 'supernode');
    expect(await isWhole).toBe(true);
    expect(refetched).toEqual([]);
  });

  it('takes what came in the place of a block into account, also when the block was right', async () => {
    const { isWhole } = await begin();
    doubts.replace(stored, 0);
    await write(0, 'supernode', randomBytes(BLOCK));
    for (const index of [1, 2]) doubts.replace(stored, index);
    for (const index of [1, 2, LAST]) await write(index, 'supernode');
    await expect(isWhole).rejects.toMatchObject({ reason: 'digest-mismatch' });
  });

  it('doubts nothing any more once it was right, until a block is fetched anew', async () => {
    for (let index = 0; index <= LAST; index += 1) await write(index, 'neighbour');
    expect(doubts.isDoubtful(stored, 0)).toBe(true);
    await whole.check(stored, signal);
    expect(doubts.isDoubtful(stored, 0)).toBe(false);
    doubts.reopen();
    expect(doubts.isDoubtful(stored, 0)).toBe(true);
  });
});
