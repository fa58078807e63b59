import type { EditRecord } from './files/record';
import type { Snapshot } from './files/snapshot';

/** The container runtimes that node-mirror knows. */
export type RuntimeName = 'docker' | 'containerd' | 'crio' | 'podman';

/** One state of a file on the way to the wanted one. Each is complete and valid by itself. */
export interface Step {
  /** The bytes to write; `undefined`: the file is removed. */
  readonly content: Buffer | undefined;
  /** What the runtime must show after a reload. Absent: the runtime is not told of this step. */
  readonly inForce?: readonly string[];
  /** Whether it is told by a restart, since it reads this at its start only. */
  readonly restart?: true;
}

/** What would be, or was, done to a file. */
export interface Plan {
  /** The file now. */
  readonly current: Snapshot;
  /** Empty: everything is as wanted. */
  readonly steps: readonly Step[];
  /** What has to be on record before the first step is taken. */
  readonly record?: EditRecord;
  /** The file as it would be without node-mirror: the backup, when the record tells of this content. */
  readonly base?: Buffer | undefined;
  /** What the steps do, in words, for the operator. */
  readonly summary: string;
}

/** What the runtime shows after a reload. */
export interface Verdict {
  readonly taken: boolean;
  /** What it shows, or why it shows nothing. */
  readonly shown: string;
}

/** A file by which a runtime is told of the mirror. */
export interface Target {
  /** The file as the operator knows it. */
  readonly title: string;
  /** The file, resolved below the host root. */
  readonly path: string;
  /** The path beside which lock, record and backup stand. Where a folder means something by being there, it is the folder. */
  readonly anchor: string;
  /** For messages: `dockerd 20.10.24 (process 7)`. */
  readonly runtimeTitle: string;
  /** How the runtime is told of a step, in words: `SIGHUP to process 7`. */
  reloadTitle(step: Step): string;
  /** Whether an earlier `apply` has written it and this one wants it no more: it is restored. */
  readonly unwanted?: boolean;
  /** Who is told, so that the record can tell whether that was done: process and start. */
  readonly listener?: string;

  /**
   * The steps that put the mirror in.
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

  /** Tells the runtime to read its file, as the step says. @throws Refusal when it is gone */
  reload(step: Step): Promise<void>;

  /** Asks the runtime what is in force. */
  verify(wanted: readonly string[]): Promise<Verdict>;
}

/** What becomes of what an earlier `apply` was told to put in, and who asks now does not name: it goes, or stays. */
export type Former = 'goes' | 'stays';

/** A container runtime as it was found on this node. */
export interface Installation {
  readonly version?: string;
  /** Why it is not to be pointed at a mirror: it does not run, or does not pull. Absent: it is there. */
  readonly absent?: string;
  /** What the operator should know although nothing is wrong. */
  readonly notes?: readonly string[];

  /** Whether it has a configuration on this node, although it does not run or cannot be seen; false for one that runs. */
  isConfigured(): Promise<boolean>;

  /**
   * The files of `apply`, in the order in which they are to be written; among them, where it goes, those that an earlier
   * `apply` has written and that this one wants no more.
   *
   * @throws Refusal when it cannot be told which they are
   */
  wanted(former: Former): Promise<readonly Target[]>;

  /** The files of `restore`: all that may have a record of an `apply`, in the order of their writing. */
  recorded(): Promise<readonly Target[]>;
}

/** A kind of container runtime. */
export interface Runtime {
  readonly name: RuntimeName;
  /**
   * Looks for the runtime on this node.
   *
   * @throws Refusal when it cannot be told what runs
   */
  find(): Promise<Installation>;
}
