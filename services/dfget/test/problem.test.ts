import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { BlobUnavailable } from '@cdk8s-dragonfly/engine';
import { Unstorable } from '@cdk8s-dragonfly/store';

import { problemOf } from '../src/download/problem';

describe('what a user is told when the store refuses', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'problem-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const request = { blob: `task:${'a'.repeat(64)}`, url: new URL('http://origin.test/file'), headers: [] } as const;
  const refusal = (code?: string): BlobUnavailable => {
    const cause = Object.assign(new Error('of the system'), code === undefined ? {} : { code });
    return new BlobUnavailable('unstorable', 'what the store says', undefined, { cause });
  };
  const told = async (error: unknown): Promise<string> =>
    (
      await problemOf(
        error,
        { timeout: undefined },
        { order: { request }, path: '/out', transit: { folder } },
        undefined,
      )
    ).message;

  it.each(['ENOSPC', 'EDQUOT', undefined])('because of %s: how much room there is, and what to do', async (code) => {
    expect(await told(refusal(code))).toMatch(
      new RegExp(
        `^the file does not fit: \\S+ [KMGT]iB are free in ${folder}; make room, or choose another --output or --home$`,
      ),
    );
  });

  it('how much more it takes, when the store knows', async () => {
    const cause = new Unstorable('of the store', 3 * 1024 * 1024);
    expect(await told(new BlobUnavailable('unstorable', 'what the store says', undefined, { cause }))).toMatch(
      /^the file does not fit: it takes 3 MiB more, and \S+ [KMGT]iB are free in /,
    );
  });

  it('the words of the store for any other fault of the disk', async () => {
    expect(await told(refusal('EIO'))).toBe('what the store says');
  });

  it('the words of the store when the folder is gone meanwhile, whose room nobody can tell', async () => {
    await rm(folder, { recursive: true });
    expect(await told(refusal('ENOSPC'))).toBe('what the store says');
  });

  it('nothing of an error that is no fault of the disk', async () => {
    const fault = new TypeError('of the program');
    await expect(told(fault)).rejects.toBe(fault);
  });
});
