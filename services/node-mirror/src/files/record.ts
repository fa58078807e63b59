import { rm } from 'node:fs/promises';
import { Refusal } from '../refusal';
import { replaceFile } from './replace-file';
import { fingerprint, sameContent, type Snapshot, takeSnapshot } from './snapshot';

/** What node-mirror remembers of a file that it has edited, so that the edit can be undone. */
export interface EditRecord {
  readonly version: 1;
  /** Whether there was a file before the first edit. If so, its bytes are in the backup. */
  readonly existed: boolean;
  /** Whether the folder was made by node-mirror. */
  readonly folderCreated: boolean;
  /** SHA-256 of the file before the first edit, or `missing`. */
  readonly original: string;
  /** SHA-256 of each state that node-mirror wrote (or was about to) and in which all but its own entry is the original. */
  readonly derived: readonly string[];
  /** The mirrors that were added, as opposed to found and kept. */
  readonly added: readonly string[];
  /** Whether the list itself was added. */
  readonly keyCreated: boolean;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

function isEditRecord(value: unknown): value is EditRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record: Partial<Record<keyof EditRecord, unknown>> = value;
  return (
    record.version === 1 &&
    typeof record.existed === 'boolean' &&
    typeof record.folderCreated === 'boolean' &&
    typeof record.keyCreated === 'boolean' &&
    isText(record.original) &&
    isTexts(record.derived) &&
    isTexts(record.added)
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The record and the backup of one file, beside it: `FILE.dragonfly-state` and `FILE.dragonfly-backup`. */
export class RecordStore {
  readonly statePath: string;
  readonly backupPath: string;

  /** @param path the edited file, resolved */
  constructor(path: string) {
    this.statePath = `${path}.dragonfly-state`;
    this.backupPath = `${path}.dragonfly-backup`;
  }

  /** @throws Refusal when there is a record that this version cannot read */
  async read(): Promise<EditRecord | undefined> {
    const { bytes } = await takeSnapshot(this.statePath);
    if (bytes === undefined) return undefined;
    const value = parsed(bytes.toString('utf8'));
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
   * Keeps the first bytes, before the first record is written.
   *
   * @throws Refusal when another backup lies there without a record: it is never overwritten
   */
  async keep(snapshot: Snapshot): Promise<void> {
    const { bytes, ownership } = snapshot;
    const old = await takeSnapshot(this.backupPath);
    if (bytes === undefined || sameContent(old.bytes, bytes)) return;
    if (old.bytes !== undefined) {
      throw new Refusal(
        `${this.backupPath} is a backup without its record ${this.statePath}: compare it with the file, then move it away and run again`,
      );
    }
    await replaceFile(this.backupPath, bytes, ownership === undefined ? {} : { ownership });
  }

  /** Forgets both, the record last: until then a second `restore` finds its way. */
  async clear(): Promise<void> {
    await rm(this.backupPath, { force: true });
    await rm(this.statePath, { force: true });
  }
}
