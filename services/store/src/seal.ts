import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

import type { BlockSet } from '@cdk8s-dragonfly/protocol';

import type { OpenFiles } from './blob-handles';

/**
 * A sealed file was last changed so long before it was sealed, in milliseconds, as far as its time says. Whoever writes to it sets that to the time of
 * the write, which cannot be the same then, however coarse the clock of the file system is.
 */
const BACK = 10_000;

/** What is seen of a file from outside. */
type Facts = Pick<Stats, 'ino' | 'size' | 'mtimeMs'>;

/** What the next one who opens the files of a blob needs to know that nobody wrote to them since they were closed. */
export interface Seal {
  readonly data: Facts;
  readonly table: Facts;
  /** The held blocks that had not been checked. */
  readonly unchecked: BlockSet;
}

/**
 * Seals the files of a blob that are about to be closed.
 *
 * @param broken whether they were written to since they were sealed, if they ever were.
 * @returns undefined when others may write to the data, by a name of theirs, and it could not be seen.
 */
export async function seal(
  { data, table }: Pick<OpenFiles, 'data' | 'table'>,
  unchecked: BlockSet,
  broken: boolean,
): Promise<Seal | undefined> {
  if ((await data.stat()).nlink > 1) return undefined;
  if (broken) await setBack(data);
  return { data: factsOf(await data.stat()), table: factsOf(await table.facts()), unchecked };
}

/** Whether nobody has written to files since they were sealed. */
export async function isUnbroken({ data, table }: Seal, files: Pick<OpenFiles, 'data' | 'table'>): Promise<boolean> {
  const { nlink, ...now } = await files.data.stat();
  return nlink === 1 && areSame(data, now) && areSame(table, await files.table.facts());
}

async function setBack(data: FileHandle): Promise<void> {
  const now = Date.now();
  await data.utimes(new Date(now), new Date(now - BACK));
}

function factsOf({ ino, size, mtimeMs }: Facts): Facts {
  return { ino, size, mtimeMs };
}

function areSame(one: Facts, other: Facts): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeMs === other.mtimeMs;
}
