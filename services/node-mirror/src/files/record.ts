import { rm } from 'node:fs/promises';
import { jsonOf } from '../json';
import { Refusal } from '../refusal';
import { replaceFile } from './replace-file';
import { fingerprint, type Ownership, sameContent, takeSnapshot } from './snapshot';

/** The ending of a record. */
export const STATE_SUFFIX = '.dragonfly-state';

/** What was put under a key. */
export interface Addition {
  /** What was added, as opposed to found and kept. */
  readonly added: readonly string[];
  /** Whether the key that holds it was added too. */
  readonly keyCreated: boolean;
}

/** What node-mirror remembers of a file that it has edited, so that the edit can be undone. */
export interface EditRecord extends Addition {
  readonly version: 1;
  /** Whether there was a file before the first edit. If so, its bytes are in the backup. */
  readonly existed: boolean;
  /** How many folders node-mirror made for the file: its own, and those above it. */
  readonly foldersCreated: number;
  /** SHA-256 of the file before the first edit, or `missing`. */
  readonly original: string;
  /** SHA-256 of each state that node-mirror wrote (or was about to) and in which all but its own entry is the original. */
  readonly derived: readonly string[];
  /** What was added beside mirrors, by its key. */
  readonly more?: Readonly<Record<string, Addition>>;
  /** Whether the file stands in a folder that was made for it alone. */
  readonly ownFolder?: boolean;
  /** The process that was told of the file as it is, where the runtime cannot be asked. */
  readonly told?: string;
}

/** What a plan knows of a file that it is about to edit. */
export interface Edit extends Addition {
  readonly current: Buffer | undefined;
  /** The file without node-mirror. */
  readonly base: Buffer | undefined;
  /** The states in which all but the entry of node-mirror is the base. */
  readonly states: readonly (Buffer | undefined)[];
  readonly more?: EditRecord['more'];
  readonly ownFolder?: boolean;
}

/** Whether a file is as node-mirror found or left it, so that its backup is good. */
export function isUntouched(record: EditRecord, current: Buffer | undefined): boolean {
  const now = fingerprint(current);
  return now === record.original || record.derived.includes(now);
}

/** The record that undoes an edit. Where others have edited the file since, it begins anew with what they have made of it. */
export function recordOf(old: EditRecord | undefined, edit: Edit): EditRecord {
  const again = old !== undefined && isUntouched(old, edit.current) ? old : undefined;
  const original = fingerprint(edit.base);
  const more = mergedAdditions(old, again, edit);
  const own = again?.ownFolder ?? old?.ownFolder ?? edit.ownFolder;
  return {
    version: 1,
    existed: again?.existed ?? edit.base !== undefined,
    foldersCreated: old?.foldersCreated ?? 0,
    original: again?.original ?? original,
    derived: [...new Set([...(again?.derived ?? []), ...edit.states.map(fingerprint)])],
    added: [...new Set([...(old?.added ?? []), ...edit.added])],
    keyCreated: again?.keyCreated ?? edit.keyCreated,
    ...(more === undefined ? {} : { more }),
    ...(own === undefined ? {} : { ownFolder: own }),
  };
}

/** Of each key beside mirrors: all that was ever added, and whether the key was there when that began. */
function mergedAdditions(
  old: EditRecord | undefined,
  again: EditRecord | undefined,
  edit: Edit,
): EditRecord['more'] | undefined {
  const keys = [...new Set([...Object.keys(old?.more ?? {}), ...Object.keys(edit.more ?? {})])];
  if (keys.length === 0) return undefined;
  return Object.fromEntries(
    keys.map((key) => {
      const [before, now] = [old?.more?.[key], edit.more?.[key]];
      const added = [...new Set([...(before?.added ?? []), ...(now?.added ?? [])])];
      return [key, { added, keyCreated: (again?.more?.[key] ?? now ?? before)?.keyCreated ?? false }];
    }),
  );
}

const isAddition = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const addition: Partial<Record<keyof Addition, unknown>> = value;
  return typeof addition.keyCreated === 'boolean' && isTexts(addition.added);
};
const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

function isEditRecord(value: unknown): value is EditRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof EditRecord, unknown>> = value;
  return (
    record.version === 1 &&
    typeof record.existed === 'boolean' &&
    typeof record.foldersCreated === 'number' &&
    isText(record.original) &&
    isTexts(record.derived) &&
    isAddition(value) &&
    (record.more === undefined || Object.values(Object(record.more) as object).every(isAddition)) &&
    (record.ownFolder === undefined || typeof record.ownFolder === 'boolean') &&
    (record.told === undefined || isText(record.told))
  );
}

/** The record and the backup of one file, beside its anchor: `ANCHOR.dragonfly-state` and `ANCHOR.dragonfly-backup`. */
export class RecordStore {
  readonly statePath: string;
  readonly backupPath: string;

  /** @param anchor the edited file, or the folder that is there for it alone, resolved */
  constructor(anchor: string) {
    this.statePath = anchor + STATE_SUFFIX;
    this.backupPath = `${anchor}.dragonfly-backup`;
  }

  /** @throws Refusal when there is a record that this version cannot read */
  async read(): Promise<EditRecord | undefined> {
    const { bytes } = await takeSnapshot(this.statePath);
    if (bytes === undefined) return undefined;
    const value = jsonOf(bytes.toString('utf8'));
    if (!isEditRecord(value)) {
      throw new Refusal(
        `${this.statePath} is not a record that this version of node-mirror can read: put ${this.backupPath} back by hand, or remove both files to keep what is there`,
      );
    }
    return value;
  }

  async write(record: EditRecord): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
    if (!sameContent((await takeSnapshot(this.statePath)).bytes, bytes)) await replaceFile(this.statePath, bytes);
  }

  /** The first bytes of the file, when they are the ones that the record tells of. */
  async backup(record: EditRecord): Promise<Buffer | undefined> {
    const { bytes } = await takeSnapshot(this.backupPath);
    return fingerprint(bytes) === record.original ? bytes : undefined;
  }

  /**
   * Keeps the bytes that `restore` is to give back, before the record tells of them.
   *
   * @param of the file that they are of, which gives the backup its SELinux label
   * @param known whether there is a record, so that a backup that lies there is ours
   * @throws Refusal when another backup lies there without a record: it is never overwritten
   */
  async keep(bytes: Buffer | undefined, of: string, ownership: Ownership | undefined, known: boolean): Promise<void> {
    const old = await takeSnapshot(this.backupPath);
    if (bytes === undefined || sameContent(old.bytes, bytes)) return;
    if (old.bytes !== undefined && !known) {
      throw new Refusal(
        `${this.backupPath} is a backup without its record ${this.statePath}: compare it with the file, then move it away and run again`,
      );
    }
    await replaceFile(this.backupPath, bytes, { labelOf: of, ...(ownership === undefined ? {} : { ownership }) });
  }

  /** Forgets both, the record last: until then a second `restore` finds its way. */
  async clear(): Promise<void> {
    await rm(this.backupPath, { force: true });
    await rm(this.statePath, { force: true });
  }
}
