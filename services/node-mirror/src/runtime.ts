import type { EditRecord } from './files/record';
import type { Snapshot } from './files/snapshot';

/** One state of the runtime's file on the way to the wanted one. Each is complete and valid by itself. */
export interface Step {
  /** The bytes to write; `undefined`: the file is removed. */
  readonly content: Buffer | undefined;
  /** The mirrors that the runtime must show after a reload. Absent: the runtime is not told of this step. */
  readonly inForce?: readonly string[];
}

/** What would be, or was, done to a node. */
export interface Plan {
  /** The file as the operator knows it. */
  readonly title: string;
  /** The file, resolved below the host root. */
  readonly path: string;
  /** The file now. */
  readonly current: Snapshot;
  /** Empty: everything is as wanted. */
  readonly steps: readonly Step[];
  /** What has to be on record before the first step is taken. */
  readonly record?: EditRecord;
  /** What the steps do, in words, for the operator. */
  readonly summary: string;
}

/** What the runtime shows after a reload. */
export interface Verdict {
  readonly taken: boolean;
  /** The mirrors that it shows, or why it shows none. */
  readonly shown: string;
}

/** A container runtime on this node. */
export interface Installation {
  /** For messages: `dockerd 20.10.24 (process 7)`. */
  readonly title: string;
  /** The file that makes the mirror known to the runtime, resolved below the host root. */
  readonly path: string;
  /** How the runtime is told of a change, in words: `SIGHUP to process 7`. */
  readonly reloadTitle: string;

  /**
   * The steps that put the mirror first.
   *
   * @throws Refusal when that cannot be done safely
   */
  planApply(record: EditRecord | undefined, backup: Buffer | undefined): Promise<Plan>;

  /** The steps that undo what the record tells of. */
  planRestore(record: EditRecord, backup: Buffer | undefined): Promise<Plan>;

  /** The steps back to exactly these bytes: the way out of a failed step. */
  planRollback(content: Buffer | undefined): Promise<Plan>;

  /**
   * A look at a complete new file before it takes its place.
   *
   * @throws Refusal when the runtime would not start with it
   */
  inspect(candidate: string): Promise<void>;

  /** Tells the runtime to read its file. @throws Refusal when it is gone */
  reload(): Promise<void>;

  /** Asks the runtime what is in force. */
  verify(mirrors: readonly string[]): Promise<Verdict>;
}

/**
 * A kind of container runtime. Others than docker come as further implementations: containerd's hosts.toml is read at
 * every pull, so its steps carry no `inForce`; the reload of CRI-O is a SIGHUP as well, that of containerd's own
 * configuration a restart.
 */
export interface Runtime {
  readonly name: string;
  /**
   * Finds the runtime on this node.
   *
   * @throws Refusal when it cannot be told what runs
   */
  find(): Promise<Installation>;
}
