/** A line of the printed map: where something of the manifests is on this machine. */
export interface MapRow {
  readonly what: string;
  readonly manifest: string;
  readonly here: string;
}

/** A file that a process finds when it starts. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** The commands of the images, which a container may run. */
export type DaemonCommand = 'supernode' | 'dfdaemon';

/** One pod as a local process. */
export interface ProcessPlan {
  /** The name of the process and of its folder: that of the Deployment, or `node-N`. */
  readonly name: string;
  readonly command: DaemonCommand;
  readonly args: readonly string[];
  /** The container's variables; the process gets no others but PATH, HOME and TMPDIR. */
  readonly env: Readonly<Record<string, string>>;
  /** Its home and working folder. */
  readonly home: string;
  /** Folders to make before the start. */
  readonly folders: readonly string[];
  /** Files to write before the start. */
  readonly files: readonly PlannedFile[];
  /** Answers 200 when the process is ready. */
  readonly readyUrl: string;
  /** `HOST:PORT` of what it listens on, by the contract's name of the flag. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly map: readonly MapRow[];
}
