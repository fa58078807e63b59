import { codeOf } from './error-code';

/** The state of the disk when a blob did not fit, in bytes. */
export interface RoomReport {
  /** What was to be written. */
  readonly needed: number;
  readonly quota: number;
  /** What the store has on disk or has promised, of the quota. */
  readonly used: number;
  /** What the file system has left for us. */
  readonly free: number;
  /** What must stay free. */
  readonly minFree: number;
}

/** This node's disk cannot take a blob or a part of it; the message says why in one sentence. */
export class Unstorable extends Error {
  override readonly name = 'Unstorable';

  /** @param needed what there is no room for, in bytes; undefined when that is not why, or nobody knows. */
  constructor(
    message: string,
    readonly needed?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Codes of the system that mean: this disk takes no more. */
const DISK_FAULTS: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG']);

/** EUCLEAN and EBADMSG, by which ext4 and XFS tell of damage in their own books; Node has no name for either. */
const DAMAGE: ReadonlySet<unknown> = new Set([-117, -74]);

/** Whether an error is the file system's word that a place of the disk is bad. */
export function isBadPlace(error: unknown): error is NodeJS.ErrnoException {
  return codeOf(error) === 'EIO' || DAMAGE.has((error as { readonly errno?: unknown } | null | undefined)?.errno);
}

/** Whether an error is the file system's word that it is full. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}

/** Whether an error is the file system's word that it cannot be written to, or is broken. */
export function isDiskFault(error: unknown): error is NodeJS.ErrnoException {
  return DISK_FAULTS.has(codeOf(error)) || isBadPlace(error);
}

/** There is no room, even after everything has gone that may go. */
export function noRoom(what: string, { needed, quota, used, free, minFree }: RoomReport): Unstorable {
  const limits = `the quota of ${quota} bytes has ${used} in use, ${free} bytes are free and ${minFree} must stay free`;
  return new Unstorable(
    `${what} needs ${needed} bytes more on this disk, and nothing else may go: ${limits}; ` +
      'give the store a larger disk, a larger --disk-quota or a smaller --min-free',
    needed,
  );
}

/** An error of the disk as what it means for the blob; any other error as it is. */
export function asUnstorable(what: string, error: unknown): unknown {
  if (!isDiskFault(error)) return error;
  return new Unstorable(`${what} cannot be written to this disk: ${error.message}`, undefined, { cause: error });
}
