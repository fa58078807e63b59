/** What is known of a file system (statfs(2)). */
export interface FileSystemFacts {
  /** Free blocks that we may use. */
  readonly bavail: number;
  readonly bsize: number;
  /** All blocks; 0 for a file system that does not count. */
  readonly blocks: number;
}

/** How long an answer of the file system is believed, in milliseconds: others write to the disk too. */
const BELIEVED = 200;

/** How many bytes of our own are written on the strength of one answer. */
const WRITTEN_BLINDLY = 16 * 1024 * 1024;

/**
 * What is free on the store's file system: asked now and then, and between two questions lessened by what we write ourselves. Writes that
 * were under way at a question are taken off as a whole, since the answer may not know of them yet.
 */
export class FreeSpace {
  private answer = Infinity;
  private answeredAt = -Infinity;
  /** Value of {@link begun} at the last question. */
  private begunThen = 0;
  private questions = 0;
  private lastAnswered = 0;
  private begun = 0;
  private underWay = 0;

  /** @param ask the file system; @param now milliseconds of a clock that never goes back. */
  constructor(
    private readonly ask: () => Promise<FileSystemFacts>,
    private readonly now: () => number,
  ) {}

  /** Bytes that are certainly free, as far as is known. */
  get bytes(): number {
    return this.answer - (this.begun - this.begunThen);
  }

  /** Whether the last answer may still be believed. */
  get isFresh(): boolean {
    return this.now() - this.answeredAt < BELIEVED && this.begun - this.begunThen < WRITTEN_BLINDLY;
  }

  /** Asks the file system. */
  async read(): Promise<void> {
    const question = (this.questions += 1);
    const { begun, underWay } = this;
    const askedAt = this.now();
    const { bavail, bsize, blocks } = await this.ask();
    // Of two questions at a time, the later one knows more.
    if (question < this.lastAnswered) return;
    this.lastAnswered = question;
    this.answer = blocks === 0 ? Infinity : bavail * bsize - underWay;
    this.begunThen = begun;
    this.answeredAt = askedAt;
  }

  /** A write of so many bytes begins. */
  begin(bytes: number): void {
    this.begun += bytes;
    this.underWay += bytes;
  }

  /** It has ended, well or not. */
  end(bytes: number): void {
    this.underWay -= bytes;
  }
}
