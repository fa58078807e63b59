import type { Edition } from '@cdk8s-dragonfly/protocol';
import type { StoredBlob } from '@cdk8s-dragonfly/store';

import type { BlobRequest } from '../node/blob-request';
import type { TrafficSource } from '../node/traffic';
import type { Doubts } from './doubts';

/** What the ways by which blocks come in know of their download. */
export interface Intake {
  /** Of the client that came last. */
  readonly request: BlobRequest;
  /** Undefined until its grid is known. */
  stored(): StoredBlob | undefined;
  /**
   * The grid and perhaps the size are known: gives the stored blob, a new one when there was none.
   *
   * @param edition of a blob that is named by its URL; undefined: it is not known.
   * @throws BlobUnavailable when another edition was begun.
   */
  begin(pieceSize: number, size: number | undefined, edition?: Edition): Promise<StoredBlob>;
  /** The block that the reader who is least far on waits for. */
  cursor(stored: StoredBlob): number;
  /** Which blocks could be wrong. */
  readonly doubts: Doubts;
  /** Bytes of a new block were written. */
  took(source: TrafficSource, bytes: number): void;
  /** Nothing more is wanted: it is whole or cannot be had. */
  finished(): boolean;
  /** The download cannot go on. */
  fail(error: unknown): void;
  /** Something that a reader could wait for has changed. */
  changed(): void;
}
