import type { Stats } from 'node:fs';

import type { BlockSet } from '@cdk8s-dragonfly/protocol';

import type { OpenFiles } from './blob-handles';

/**
 * Files that were written to within this time are not sealed, in milliseconds: the clock of a file system may be as coarse as two seconds, and another
 * write would not show.
 */
const SETTLED = 2500;

/** For so long, in milliseconds, a seal is good: a disk may also damage what nobody writes to. */
const GOOD_FOR = 600_000;

/** What is seen of a file from outside. */
type Facts = Pick<Stats, 'ino' | 'size' | 'mtimeMs'>;

type Files = Pick<OpenFiles, 'data' | 'table'>;

/** What the next one who opens the files of a blob needs to know that nobody wrote to them since they were closed. */
export interface Seal {
  readonly data: Facts;
  readonly table: Facts;
  /** In milliseconds of `performance.now()`. */
  readonly at: number;
  /** The held blocks that had not been checked. */
  readonly unchecked: BlockSet;
}

/** Seals the files of a blob that are about to be closed; undefined when it would not show that others write to them. */
export async function seal({ data, table }: Files, unchecked: BlockSet): Promise<Seal | undefined> {
  const { nlink, ...facts } = await data.stat();
  // By a further name, others may write to it. A time in the future is of a clock that was set.
  if (nlink > 1 || !(Date.now() - facts.mtimeMs >= SETTLED)) return undefined;
  return { data: factsOf(facts), table: factsOf(await table.facts()), at: performance.now(), unchecked };
}

/** The same seal, after the time of the table was changed by us. */
export async function resealed(sealed: Seal, { table }: Files): Promise<Seal> {
  return { ...sealed, table: factsOf(await table.facts()) };
}

/** Whether nobody has written to files since they were sealed. */
export async function isUnbroken(sealed: Seal, { data, table }: Files): Promise<boolean> {
  if (performance.now() - sealed.at > GOOD_FOR) return false;
  const { nlink, ...now } = await data.stat();
  return nlink === 1 && areSame(sealed.data, now) && areSame(sealed.table, await table.facts());
}

function factsOf({ ino, size, mtimeMs }: Facts): Facts {
  return { ino, size, mtimeMs };
}

function areSame(one: Facts, other: Facts): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs;
}
