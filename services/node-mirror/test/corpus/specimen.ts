/** A file as a node may have it, and what apply makes of it. */
export interface Specimen {
  readonly name: string;
  /** `undefined`: there is no file. */
  readonly content: string | undefined;
  /** What apply says when it refuses. Absent: it takes the file. */
  readonly refused?: RegExp;
  /** What apply says when the runtime does not take what was written, after all was put back. */
  readonly untaken?: RegExp;
  /** Other files of the node, by their paths. */
  readonly others?: Readonly<Record<string, string>>;
  /** The version of the runtime. */
  readonly version?: string;
}
